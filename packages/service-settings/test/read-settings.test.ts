import { expect, it } from 'vitest'
import { readSettings, settings, SettingsError } from '../src/index.ts'

const guid = '00000000-0000-0000-0000-00000000ABCD'
const key = 'c2VjcmV0LXNlY3JldA=='
const issuer = { issuer: 'https://login.example/v2.0', audience: 'api://tokens' }
const required = {
  SIGN_IN_ISSUERS: JSON.stringify([issuer]),
  COMMUNICATION_SERVICES_CONNECTION_STRING: `endpoint=https://acs.example/;accesskey=${key}`,
  IDENTITY_STORE_CONNECTION_STRING: `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${key};EndpointSuffix=core.windows.net`,
}

function findIssues(environment: Record<string, string>): readonly string[] {
  try {
    readSettings(environment)
  } catch (error) {
    if (error instanceof SettingsError) return error.issues
    throw error
  }
  return []
}

it('requires three settings and has defaults for the rest', () => {
  const values = readSettings(required)
  expect(values.SIGN_IN_ISSUERS).toEqual([issuer])
  expect(values).toMatchObject({ PORT: 8080, REVOCATION_BOUND_SECONDS: 300, ACS_SDK: 'identity', ALLOWED_ORIGINS: [] })
  expect(values.SCOPE_POLICY.roles?.['guest']?.scopes).toEqual(['chat.join', 'voip.join'])
  expect(Object.keys(values).toSorted()).toEqual(Object.keys(settings).toSorted())
})

it('reports all missing settings of an empty environment together', () => {
  expect(findIssues({})).toEqual([
    'SIGN_IN_ISSUERS is missing: list at least one trusted issuer',
    'COMMUNICATION_SERVICES_CONNECTION_STRING or COMMUNICATION_SERVICES_ENDPOINT is missing: set one of them',
    'IDENTITY_STORE_CONNECTION_STRING or IDENTITY_STORE_ENDPOINT is missing: set one of them',
  ])
})

it.each<[string, string, RegExp]>([
  ['SIGN_IN_ISSUERS', '{', /must be JSON/],
  ['SIGN_IN_ISSUERS', '[]', /must not have fewer than 1 items/],
  ['SIGN_IN_ISSUERS', '[{"issuer":"https://a.example"}]', /audience/],
  ['SIGN_IN_ISSUERS', '[{"issuer":"http://a.example","audience":"a"}]', /https/],
  ['SIGN_IN_ISSUERS', '[{"issuer":"https://a.example","audience":"a","algorithms":["HS256"]}]', /algorithms/],
  ['SIGN_IN_ISSUERS', '[{"issuer":"https://a.example","audience":"a","algorithms":["none"]}]', /algorithms/],
  ['SIGN_IN_ISSUERS', '[{"issuer":"https://a","audience":"a"},{"issuer":"https://a","audience":"b"}]', /twice/],
  ['SIGN_IN_ISSUERS', '[{"issuer":"adfs","audience":"a"}]', /\/0\/issuer .*jwksUri/],
  [
    'SIGN_IN_ISSUERS',
    '[{"issuer":"http://a.example","audience":"a","jwksUri":"http://a.example/keys"}]',
    /\/0\/jwksUri/,
  ],
  [
    'SIGN_IN_ISSUERS',
    '[{"issuer":"https://a:b@a.example","audience":"a","jwksUri":"https://a.example"}]',
    /\/0\/issuer .*password/,
  ],
  ['SIGN_IN_ISSUERS', '[{"issuer":"https://a.example/?a","audience":"a"}]', /\/0\/issuer .*query/],
  [
    'SIGN_IN_ISSUERS',
    '[{"issuer":"https:/a:b@a.example","audience":"a","jwksUri":"https://a.example"}]',
    /\/0\/issuer .*password/,
  ],
  ['SIGN_IN_ISSUERS', '[{"issuer":"https://a.example","audience":[]}]', /audience/],
  ['SIGN_IN_ISSUERS', '[{"issuer":"https://a.example","audience":["a",""]}]', /audience\/1/],
  [
    'SIGN_IN_ISSUERS',
    '[{"issuer":"https://a.example","audience":"a","kind":"entra"}]',
    /Entra ID issuer without required/,
  ],
  [
    'SIGN_IN_ISSUERS',
    '[{"issuer":"https://login.microsoftonline.com/1/v2.0","audience":"a"}]',
    /Entra ID issuer without required/,
  ],
  [
    'SIGN_IN_ISSUERS',
    '[{"issuer":"name","jwksUri":"https://a.example/","audience":"a","kind":"entra","required":"a"}]',
    /URL with the tenant/,
  ],
  [
    'SCOPE_POLICY',
    '{"default":{"scopes":["chat"],"maxExpiresInMinutes":60},"roles":{"a":{"scopes":[],"maxExpiresInMinutes":60}}}',
    /roles\/.+\/scopes/,
  ],
  ['SCOPE_POLICY', '{"default":{"scopes":["bogus"],"maxExpiresInMinutes":60}}', /scopes/],
  ['SCOPE_POLICY', '{"default":{"scopes":["chat"],"maxExpiresInMinutes":59}}', /maxExpiresInMinutes/],
  ['COMMUNICATION_SERVICES_CONNECTION_STRING', `endpoint=http://acs.example/;accesskey=${key}`, /https/],
  ['COMMUNICATION_SERVICES_CONNECTION_STRING', `accesskey=${key}`, /lacks endpoint=/],
  ['COMMUNICATION_SERVICES_RESOURCE_ID', 'my-resource', /GUID/],
  ['TEAMS_EXTENSION', `{"tenantId":"contoso","clientIds":["${guid}"]}`, /\/tenantId must match format "uuid"/],
  ['TEAMS_EXTENSION', `{"tenantId":"${guid}","clientIds":["my-app"]}`, /\/clientIds\/0 must match format "uuid"/],
  ['TEAMS_EXTENSION', `{"tenantId":"${guid}","clientIds":[]}`, /\/clientIds must not have fewer than 1 items/],
  ['TEAMS_EXTENSION', `{"tenantId":"${guid}"}`, /clientIds/],
  ['IDENTITY_STORE_CONNECTION_STRING', `https://${key}`, /AccountKey/],
  ['ALLOWED_ORIGINS', '*', /wildcards/],
  ['ALLOWED_ORIGINS', 'https://a.example/path', /without paths/],
  ['ALLOWED_ORIGINS', 'https://a.example:*', /wildcards/],
  ['ALLOWED_ORIGINS', 'https://*.example', /each subdomain separately, without paths or wildcards/],
  ['ALLOWED_ORIGINS', 'http://localhost:*/', /wildcards/],
  ['ALLOWED_HEADERS', '*', /header names/],
  ['ALLOWED_HEADERS', 'X-Tenant, x y', /header names/],
  ['ALLOWED_HEADERS', 'X-Tenant,', /header names/],
  ['PORT', '80a', /0 to 65535/],
  ['PORT', '-1', /0 to 65535/],
  ['INSTANCES', '0', /1 to 100/],
  ['ACS_SDK', 'beta', /identity or administration/],
  ['REFERENCE_PAGE', 'yes', /true or false/],
  ['IDENTITY_STORE_TABLE', '1x', /starting with a letter/],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', /an http or https URL/],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', `https://user:${key}@collector.example`, /without a user name/],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', `https://collector.example/?key=${key}`, /query/],
  ['OTEL_EXPORTER_OTLP_HEADERS', `a=b,${encodeURIComponent(key)}`, /an invalid entry 2: list name=value pairs/],
  ['OTEL_EXPORTER_OTLP_HEADERS', `api-key=%${key}`, /an invalid entry 1/],
  ['OTEL_EXPORTER_OTLP_HEADERS', `api key=${key}`, /an invalid entry 1/],
  ['OTEL_EXPORTER_OTLP_HEADERS', `api%20key=${key}`, /an invalid header/],
  ['OTEL_EXPORTER_OTLP_HEADERS', `api-key=${key}%0d%0ax:y`, /an invalid header/],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', /http\/protobuf or http\/json/],
  ['OTEL_RESOURCE_ATTRIBUTES', 'prod', /an invalid entry 1/],
  ['OTEL_TRACES_SAMPLER', 'sometimes', /always_on/],
  ['OTEL_TRACES_SAMPLER_ARG', '10', /0 to 1/],
  ['OTEL_TRACES_SAMPLER_ARG', '.', /0 to 1/],
  ['OTEL_METRIC_EXPORT_INTERVAL', '60s', /100 to 3600000/],
])('rejects %s = %s with a single issue', (name, value, reason) => {
  const issues = findIssues({ ...required, [name]: value })
  expect(issues).toHaveLength(1)
  expect(issues[0]).toMatch(new RegExp(`^${name} .*${reason.source}`))
  expect(issues[0]).not.toContain(key)
})

it('reports all issues of the issuers together, without repeating a value', () => {
  const list = [
    { issuer: 'https://user:secret@a.example', audience: 'a', jwksUri: 'http://secret.example' },
    { issuer: 'secret', audience: 'a', kind: 'entra' },
    { issuer: 'secret', audience: 'a', jwksUri: 'https://a.example/keys' },
  ]
  const [issue, ...others] = findIssues({ ...required, SIGN_IN_ISSUERS: JSON.stringify(list) })
  expect(others).toEqual([])
  expect(issue).toMatch(/\/0\/issuer .*\/0\/jwksUri .*\/1\/issuer .*\/1 is an Entra ID issuer .*twice, \/1 and \/2/)
  expect(issue).not.toContain('secret')
})

it('reports each issue once, including those that the schema cannot express', () => {
  const list = [
    { issuer: 'https://a.example' },
    { issuer: 'https://b.example', audience: 5 },
    { issuer: 'ftp://c.example', audience: 'c' },
    { issuer: 'ftp://d.example', audience: ['d', ''], jwksUri: 5 },
    { issuer: 'ftp://e.example', audience: [], kind: 'entra' },
    { issuer: '', audience: '', audiance: 'f' },
    { issuer: 'https://b.example', audience: ['g', 5] },
    null,
    { issuer: 'https://h.example', audience: 5 },
    { issuer: 'https://i.example', audience: 5 },
  ]
  const [issue] = findIssues({ ...required, SIGN_IN_ISSUERS: JSON.stringify(list) })
  expect(issue!.replace('SIGN_IN_ISSUERS is invalid: ', '').split('; ')).toEqual([
    '/0 must have required properties audience',
    '/1/audience must be string or array',
    '/3/audience/1 must not have fewer than 1 characters',
    '/3/jwksUri must be string',
    '/4/audience must not have fewer than 1 items',
    '/5 must not have additional properties',
    '/5/issuer must not have fewer than 1 characters',
    '/5/audience must not have fewer than 1 characters',
    '/6/audience/1 must be string',
    '/7 must be object',
    '/8/audience must be string or array',
    '/9/audience must be string or array',
    expect.stringMatching(/^\/2\/issuer must be an https URL/),
    expect.stringMatching(/^\/4\/issuer must be an https URL/),
    expect.stringMatching(/^\/4 is an Entra ID issuer without required/),
    'lists an issuer twice, /1 and /6',
  ])
})

it('accepts any issuer name if its keys have an https URL, and several audiences', () => {
  const list = ['http://adfs.example.com/adfs/services/trust', 'adfs'].map((name) => ({
    issuer: name,
    audience: ['a', 'b'],
    jwksUri: 'https://adfs.example.com/adfs/discovery/keys',
  }))
  expect(readSettings({ ...required, SIGN_IN_ISSUERS: JSON.stringify(list) }).SIGN_IN_ISSUERS).toEqual(list)
})

it('ignores an endpoint that the connection string contains', () => {
  const values = readSettings({ ...required, COMMUNICATION_SERVICES_ENDPOINT: 'https://acs.example' })
  expect(values.COMMUNICATION_SERVICES_ENDPOINT).toBeUndefined()
  expect(values.COMMUNICATION_SERVICES_CONNECTION_STRING).toBe(required.COMMUNICATION_SERVICES_CONNECTION_STRING)
})

const sas = `SharedAccessSignature=sv=2024-11-04&sig=${encodeURIComponent(key)}`
const account = `AccountName=a;AccountKey=${key}`

it.each([
  `DefaultEndpointsProtocol=http;${account};EndpointSuffix=core.windows.net`,
  `DefaultEndpointsProtocol=https;${account};EndpointSuffix=@evil.example`,
  `DefaultEndpointsProtocol=http;${account};TableEndpoint=http://store.example/`,
  `DefaultEndpointsProtocol=http;${account};TableEndpoint=http://localhost:10002@evil.example/a`,
  `DefaultEndpointsProtocol=https;${account};EndpointSuffix=core.windows.net;BlobEndpoint=http://store.example/`,
  `TableEndpoint=http://store.example/;${sas}`,
  `tableendpoint=HTTP://store.example/;${sas}`,
  `TableEndpoint=https://user:word@store.example/;${sas}`,
  `TableEndpoint=https://store.example/;BlobEndpoint=http://store.example/;${sas}`,
  `TableEndpoint=https://store.example/;TableEndpoint=http://store.example/;${sas}`,
  `TableEndpoint=store.example;${sas}`,
])('rejects a store that is reached over plain HTTP or at another host: %s', (value) => {
  const [issue, ...others] = findIssues({ ...required, IDENTITY_STORE_CONNECTION_STRING: value })
  expect(issue).toMatch(
    /^IDENTITY_STORE_CONNECTION_STRING (?:has an endpoint that is not an https URL|has a duplicate part)/,
  )
  expect(others).toEqual([])
})

it.each([
  `DefaultEndpointsProtocol=https;${account};EndpointSuffix=core.windows.net`,
  `DefaultEndpointsProtocol=http;${account};TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;`,
  `DefaultEndpointsProtocol=https;${account};TableEndpoint=https://a.table.cosmos.azure.com:443/;`,
  `BlobEndpoint=https://a.blob.core.windows.net/;TableEndpoint=https://a.table.core.windows.net/;${sas}`,
  `TableEndpoint=http://[::1]:10002/devstoreaccount1;${sas}`,
])('accepts a store with https, or on this machine: %s', (value) => {
  expect(findIssues({ ...required, IDENTITY_STORE_CONNECTION_STRING: value })).toEqual([])
})

it.each([
  `${account};EndpointSuffix=core.windows.net`,
  `DefaultEndpointsProtocol=https;${account}`,
  `BlobEndpoint=https://store.example/;${sas}`,
])('rejects a connection string that the SDK cannot use: %s', (value) => {
  expect(findIssues({ ...required, IDENTITY_STORE_CONNECTION_STRING: value })).toEqual([
    expect.stringMatching(/^IDENTITY_STORE_CONNECTION_STRING must be a storage connection string/),
  ])
})

const password = 'pass-word'
const rejectedValues = {
  SIGN_IN_ISSUERS: [
    `[{"issuer":"https://user:${password}@login.example","audience":"a"}]`,
    `[{"issuer":"https://login.example","audience":"a","jwksUri":"https://user:${password}@login.example/keys"}]`,
    `[{"issuer":"https://login.example/${password}","audience":"a"},{"issuer":"https://login.example/${password}","audience":"b"}]`,
    `[{"issuer":"http://login.example/${password}","audience":"a"}]`,
    `[{"issuer":"https://login.example","audience":"a","${password}":1}]`,
    `[{"issuer":"https://login.example","audience":"a","kind":"${password}"}]`,
    `"${password}"`,
    password,
  ],
  SCOPE_POLICY: [
    `{"default":{"scopes":["chat"],"maxExpiresInMinutes":60},"roles":{"${password}":{"scopes":[]}}}`,
    `{"default":{"scopes":["${password}"],"maxExpiresInMinutes":60}}`,
  ],
  COMMUNICATION_SERVICES_CONNECTION_STRING: [password, `endpoint=https://user:${password}@a.example/`],
  COMMUNICATION_SERVICES_ENDPOINT: [`https://user:${password}@acs.example/`, `https://acs.example/?${password}`],
  IDENTITY_STORE_CONNECTION_STRING: [password, `TableEndpoint=https://user:${password}@store.example/;${sas}`],
  IDENTITY_STORE_ENDPOINT: [`https://user:${password}@store.example/`, `https://store.example/?sig=${password}`],
  ALLOWED_ORIGINS: [`https://user:${password}@app.example`, `https://app.example, https://app.example/${password}`],
  COMMUNICATION_SERVICES_RESOURCE_ID: [password],
  AZURE_CLIENT_ID: [password],
  TEAMS_CLIENT_ID: [password],
  TEAMS_EXTENSION: [password, `{"tenantId":"${password}","clientIds":["${password}"],"${password}":1}`],
  IDENTITY_STORE_TABLE: [password],
  ACS_SDK: [password],
  REMAP_FOREIGN_IDENTITIES: [password],
  PORT: [password],
}

it.each(Object.entries(rejectedValues).flatMap(([name, values]) => values.map((value) => [name, value] as const)))(
  'does not repeat a rejected %s: %s',
  (name, value) => {
    const issues = findIssues({ ...required, [name]: value })
    expect(issues).toContainEqual(expect.stringMatching(new RegExp(`^${name} `)))
    expect(issues.join('\n')).not.toContain(password)
  },
)

it('reports settings that conflict with or require each other', () => {
  expect(findIssues({ ...required, COMMUNICATION_SERVICES_ENDPOINT: 'https://other.example/' })).toEqual([
    'COMMUNICATION_SERVICES_CONNECTION_STRING and COMMUNICATION_SERVICES_ENDPOINT are both set: remove one of them',
  ])
  const { COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString, ...rest } = required
  const keyless = { ...rest, COMMUNICATION_SERVICES_ENDPOINT: 'https://acs.example/' }
  expect(findIssues(keyless)).toEqual([])
  expect(findIssues({ ...keyless, COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: connectionString })).toEqual([
    expect.stringMatching(/SECONDARY_CONNECTION_STRING requires/),
  ])
  const other = connectionString.replace('https://', 'https://other-')
  expect(findIssues({ ...required, COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: other })).toEqual([
    expect.stringMatching(/SECONDARY_CONNECTION_STRING belongs to another resource/),
  ])
})

it('converts the ids of TEAMS_EXTENSION to lower case', () => {
  const value = JSON.stringify({ tenantId: guid, clientIds: [guid] })
  const id = guid.toLowerCase()
  expect(readSettings({ ...required, TEAMS_EXTENSION: value }).TEAMS_EXTENSION).toEqual({
    tenantId: id,
    clientIds: [id],
  })
})

it('accepts a pasted connection string, and another spelling of the same resource', () => {
  expect(
    findIssues({
      ...required,
      COMMUNICATION_SERVICES_CONNECTION_STRING: `endpoint=https://acs.example/;accesskey=${key};`,
      COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: `"AccessKey=${key};\nEndpoint=https://ACS.example"`,
    }),
  ).toEqual([])
})

it.each(['http://localhost:4380', 'https://acs.example/path'])(
  'rejects COMMUNICATION_SERVICES_ENDPOINT = %s before the SDK does',
  (endpoint) => {
    const { COMMUNICATION_SERVICES_CONNECTION_STRING: _connectionString, ...rest } = required
    expect(findIssues({ ...rest, COMMUNICATION_SERVICES_ENDPOINT: endpoint })).toEqual([
      expect.stringMatching(/^COMMUNICATION_SERVICES_ENDPOINT (?:does not begin with https|has more than a host)/),
    ])
  },
)

it('rejects a maximum lifetime that the administration SDK does not support', () => {
  const policy = '{"default":{"scopes":["chat"],"maxExpiresInMinutes":60}}'
  expect(findIssues({ ...required, ACS_SDK: 'administration', SCOPE_POLICY: policy })).toEqual([
    expect.stringMatching(/does not support/),
  ])
  const role = '{"scopes":["chat"],"maxExpiresInMinutes":1440}'
  const nothing = `{"default":{"scopes":[],"maxExpiresInMinutes":60},"roles":{"member":${role}}}`
  expect(findIssues({ ...required, ACS_SDK: 'administration', SCOPE_POLICY: nothing })).toEqual([])
})

it('reads headers and attributes of exports as OpenTelemetry does', () => {
  const values = readSettings({
    ...required,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/otlp/',
    OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Basic%20${key}, x-scope = a=b`,
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod,team=a%2Cb',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
  })
  expect(values).toMatchObject({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/otlp',
    OTEL_EXPORTER_OTLP_HEADERS: { Authorization: `Basic ${key}`, 'x-scope': 'a=b' },
    OTEL_RESOURCE_ATTRIBUTES: { 'deployment.environment.name': 'prod', team: 'a,b' },
    OTEL_TRACES_SAMPLER_ARG: 0.25,
  })
})

it.each([
  ['http://collector.example:4318', {}, []],
  ['http://127.0.0.1:4318', { OTEL_EXPORTER_OTLP_HEADERS: `api-key=${key}` }, []],
  [
    'http://collector.example:4318',
    { OTEL_EXPORTER_OTLP_HEADERS: `api-key=${key}` },
    [expect.stringMatching(/^OTEL_EXPORTER_OTLP_HEADERS would be sent unencrypted: set an https URL/)],
  ],
])('sends headers to a collector only encrypted: %s', (endpoint, headers, issues) => {
  expect(findIssues({ ...required, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...headers })).toEqual(issues)
})

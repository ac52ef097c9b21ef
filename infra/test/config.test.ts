import { join } from 'node:path'
import { settings } from '@acs-kit/service-settings'
import { RunError } from '@pulumi/pulumi'
import { expect, it } from 'vitest'
import { serviceSettings } from '../app-settings.ts'
import { parseConfig, type ConfigSource } from '../config.ts'

const issuer = { issuer: 'https://sign-in.example', audience: 'api://tokens' }

const guid = '00000000-0000-0000-0000-000000000000'

function source(options: Readonly<Record<string, unknown>>, rest: Partial<ConfigSource> = {}): ConfigSource {
  const all = { issuers: [issuer], deployPackage: false, ...options }
  return {
    stack: 'dev',
    // The engine's form.
    options: Object.fromEntries(
      Object.entries(all).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    ),
    location: 'westeurope',
    packagePath: '/nowhere/dist.zip',
    ...rest,
  }
}

function getIssues(...args: Parameters<typeof source>): readonly string[] {
  try {
    parseConfig(source(...args))
  } catch (error) {
    // The engine prints the message of a RunError without a stack trace.
    expect(RunError.isInstance(error)).toBe(true)
    const [title, ...issues] = (error as Error).message.split('\n')
    expect(title).toBe('invalid configuration of the stack dev:')
    return issues
  }
  return []
}

it('fills in the defaults', () => {
  expect(parseConfig(source({}))).toEqual({
    dataLocation: 'United States',
    keyless: false,
    activeKey: 'primary',
    rotation: undefined,
    publicNetworkAccess: 'Enabled',
    redundancy: 'LRS',
    sku: 'B1',
    instances: 1,
    zoneRedundant: false,
    logRetentionDays: 7,
    allowedOrigins: [],
    issuers: [issuer],
    teamsExtension: undefined,
    scopePolicy: undefined,
    settings: {},
    tags: {},
    protect: false,
    deployPackage: false,
    packagePath: '/nowhere/dist.zip',
  })
  expect(parseConfig(source({ keyless: true }, { stack: 'prod' }))).toMatchObject({
    protect: true,
    keyless: true,
    redundancy: 'ZRS',
    logRetentionDays: 30,
  })
})

it.each([
  ['B3', 3, false],
  ['S1', { min: 1, max: 10 }, false],
  ['P1v2', { min: 3, max: 3 }, true],
  ['P0v3', 30, true],
  ['P5mv3', { min: 2, max: 30 }, true],
] as const)('accepts what the plan %s can do', (sku, instances, zoneRedundant) => {
  const options = { sku, instances, zoneRedundant }
  expect(parseConfig(source(options))).toMatchObject(options)
})

it('accepts the origins that the service accepts', () => {
  const allowedOrigins = ['https://app.example.com', 'http://localhost:*']
  expect(parseConfig(source({ allowedOrigins }))).toMatchObject({ allowedOrigins })
})

it('accepts the record of a rotation', () => {
  const switchedAt = '2026-01-01T00:00:00.000Z'
  const regeneratedAt = '2026-01-02T02:00:00.000Z'
  const rotation = { key: 'primary', switchedAt, regenerationStartedAt: regeneratedAt, regeneratedAt }
  expect(parseConfig(source({ activeKey: 'secondary', rotation }))).toMatchObject({ rotation })
})

it('names a placeholder of teamsExtension', () => {
  const issues = getIssues({ teamsExtension: { tenantId: guid, clientIds: ['<application>'] } })
  expect(issues).toContain('- teamsExtension has the placeholder <application>: replace it (see README.md)')
})

/** Environment of the service, without what only Azure knows. */
function getEnvironment(options: Readonly<Record<string, unknown>>) {
  const config = parseConfig(source(options))
  return serviceSettings<string>({ config, communication: {}, store: {}, identity: {} } as never)
}

it('passes teamsExtension and scopePolicy to the service', () => {
  const teamsExtension = { tenantId: guid, clientIds: [guid] }
  const scopePolicy = { default: { scopes: ['chat'], maxExpiresInMinutes: 60 } }
  const environment = getEnvironment({ teamsExtension, scopePolicy })
  expect(settings.TEAMS_EXTENSION.parse(environment.TEAMS_EXTENSION!)).toEqual(teamsExtension)
  expect(settings.SCOPE_POLICY.parse(environment.SCOPE_POLICY!)).toEqual(scopePolicy)
})

it('passes further settings to the service, whatever their type in YAML', () => {
  const given = { TEAMS_CLIENT_ID: guid, TOKENS_PER_MINUTE: 20, REFERENCE_PAGE: true, LOG_LEVEL: 'warn' }
  expect(getEnvironment({ settings: given })).toMatchObject({
    TEAMS_CLIENT_ID: guid,
    TOKENS_PER_MINUTE: '20',
    REFERENCE_PAGE: 'true',
    LOG_LEVEL: 'warn',
  })
})

it.each([
  [3, '3'],
  [{ min: 2, max: 5 }, '5'],
])('divides the limits of the resource by the maximum of %j instances', (instances, expected) => {
  expect(getEnvironment({ sku: 'S1', instances }).INSTANCES).toBe(expected)
})

it('rejects every setting that the program sets', () => {
  // With all optional values, and in both ways to authenticate.
  const options = { allowedOrigins: ['https://a.example'], teamsExtension: { tenantId: guid, clientIds: [guid] } }
  const scopePolicy = { default: { scopes: ['chat'], maxExpiresInMinutes: 60 } }
  const own = [true, false].flatMap((keyless) => {
    const config = parseConfig(source({ ...options, scopePolicy, keyless }))
    const value = 'x'
    const connectionStrings = { connectionString: value, secondaryConnectionString: value }
    const environment = serviceSettings({
      config,
      communication: { endpoint: value, immutableResourceId: value, ...connectionStrings },
      store: { endpoint: value, table: value },
      identity: { clientId: value },
    })
    return Object.entries(environment).flatMap(([name, setting]) => (setting === undefined ? [] : [name]))
  })
  const given = Object.fromEntries([...new Set(own)].map((name) => [name, '5']))
  expect(getIssues({ settings: given })).toEqual(
    Object.keys(given).map((name) => expect.stringMatching(`^- settings\\.${name} is set by the program: `)),
  )
})

it.each<[string, Record<string, unknown>, RegExp]>([
  ['an unknown option', { datalocation: 'Europe' }, /^- datalocation: unknown option$/],
  ['an unknown data location', { dataLocation: 'Mars' }, /^- dataLocation is "Mars": expected one of Africa, /],
  [
    'an unknown network access',
    { publicNetworkAccess: 'disabled' },
    /^- publicNetworkAccess is "disabled": expected one of Enabled, Disabled, SecuredByPerimeter$/,
  ],
  ['a plan that is not always on', { sku: 'F1' }, /^- sku is "F1": expected a plan that is always on/],
  ['an unknown redundancy', { redundancy: 'GRS' }, /^- redundancy is "GRS": expected one of LRS, ZRS, GZRS$/],
  ['a retention of no days', { logRetentionDays: 0 }, /^- logRetentionDays is "0": expected a whole number from 1 to /],
  ['no instances', { instances: 0 }, /^- instances is 0: expected a whole number from 1, or \{ min, max \}/],
  ['half an instance', { instances: { min: 1.5, max: 2 } }, /^- instances is \{"min":1\.5,"max":2\}: expected/],
  ['instances in words', { instances: 'many' }, /^- instances is many: expected/],
  [
    'reversed limits',
    { sku: 'S1', instances: { min: 3, max: 2 } },
    /^- instances is \{.*\}: expected .*min at most max/,
  ],
  ['a missing limit', { sku: 'S1', instances: { min: 3 } }, /^- instances is /],
  ['an unknown limit', { sku: 'S1', instances: { min: 1, max: 2, default: 1 } }, /^- instances is /],
  ['too many instances for B1', { instances: 4 }, /^- instances is 4: the plan B1 has at most 3, so lower it/],
  ['too many instances for S2', { sku: 'S2', instances: { min: 1, max: 11 } }, /^- instances is 11: the plan S2 has/],
  ['too many instances for P1v3', { sku: 'P1v3', instances: 31 }, /^- instances is 31: the plan P1v3 has at most 30/],
  ['autoscale on B1', { instances: { min: 1, max: 3 } }, /^- instances has limits, but the plan B1 has no autoscale: /],
  ['zones on S1', { sku: 'S1', instances: 2, zoneRedundant: true }, /^- zoneRedundant is true, but the plan S1 has no/],
  ['one instance in several zones', { sku: 'P0v3', zoneRedundant: true }, /^- zoneRedundant is true, but one instance/],
  [
    'a minimum of one instance in several zones',
    { sku: 'P0v3', instances: { min: 1, max: 3 }, zoneRedundant: true },
    /^- zoneRedundant is true, but one instance is in one zone: set instances to at least 2$/,
  ],
  ['an unknown scope', { scopePolicy: { default: { scopes: ['sms'] } } }, /^- scopePolicy is invalid: \/default/],
  ['settings that are not a map', { settings: ['LOG_LEVEL'] }, /^- settings is not a map: pulumi config set --path/],
  ['an unknown setting', { settings: { PASSWORD: 'x' } }, /^- settings\.PASSWORD is unknown: see the settings in apps/],
  [
    'a misspelt setting',
    { settings: { tokensPerMinute: 5 } },
    /^- settings\.tokensPerMinute is unknown: write TOKENS_PER_MINUTE$/,
  ],
  ['an invalid setting', { settings: { TOKENS_PER_MINUTE: -1 } }, /^- settings\.TOKENS_PER_MINUTE must be a whole/],
  ['a nested setting', { settings: { LOG_LEVEL: ['info'] } }, /^- settings\.LOG_LEVEL is invalid: expected a text/],
  [
    'a setting with an option',
    { settings: { INSTANCES: 2 } },
    /^- settings\.INSTANCES is set by the program: use the option instances$/,
  ],
  ['a setting of App Service', { settings: { PORT: 80 } }, /^- settings\.PORT is set by App Service: remove it$/],
  [
    'settings that conflict',
    {
      settings: { ACS_SDK: 'administration' },
      scopePolicy: { default: { scopes: ['chat'], maxExpiresInMinutes: 60 } },
    },
    /^- SCOPE_POLICY has a lifetime below 1440 minutes, which ACS_SDK=administration does not support/,
  ],
  ['an invalid flag', { keyless: 'yes' }, /^- keyless is "yes": expected true or false$/],
  ['an unknown key', { activeKey: 'Primary' }, /^- activeKey is "Primary": expected one of primary, secondary$/],
  [
    'an active key without access keys',
    { keyless: true, activeKey: 'secondary' },
    /^- activeKey has no effect with keyless, which disables access keys: remove it$/,
  ],
  [
    'a rotation without access keys',
    { keyless: true, rotation: { key: 'secondary' } },
    /^- rotation has no effect with keyless, which disables access keys: remove it$/,
  ],
  [
    'the rotation of the active key',
    { rotation: { key: 'primary' } },
    /^- rotation replaces the primary key, which is active: set activeKey to secondary, or remove rotation$/,
  ],
  ['a rotation that is not a map', { rotation: 'primary' }, /^- rotation is not in the form in which `npm run rotate`/],
  [
    'a rotation with an unknown member',
    { rotation: { key: 'secondary', switched: '2026-01-01T00:00:00Z' } },
    /^- rotation is not in the form in which `npm run rotate`/,
  ],
  [
    'a rotation with an invalid time',
    { rotation: { key: 'secondary', switchedAt: 'yesterday' } },
    /^- rotation is not in the form in which `npm run rotate`/,
  ],
  [
    'origins that are not a list',
    { allowedOrigins: 'https://a.example' },
    /^- allowedOrigins is not a list: pulumi config/,
  ],
  [
    'an origin with a path',
    { allowedOrigins: ['https://a.example/x'] },
    /^- allowedOrigins has "https:\/\/a\.example\/x"/,
  ],
  [
    'an origin with a wildcard',
    { allowedOrigins: ['https://*.example'] },
    /^- allowedOrigins has "https:\/\/\*\.example": expected .*without a path or wildcard/,
  ],
  ['a numeric origin', { allowedOrigins: [5] }, /^- allowedOrigins has 5: expected an origin/],
  ['tags that are not a map', { tags: '5' }, /^- tags is not a map: pulumi config/],
  ['a numeric tag', { tags: { costCenter: 42 } }, /^- tags\.costCenter is not a string: quote it/],
  ['a tag name that Azure rejects', { tags: { 'a/b': 'c' } }, /^- tags\.a\/b: expected a name/],
  ['a tag that is too long', { tags: { a: 'b'.repeat(257) } }, /^- tags\.a is too long/],
  [
    'more tags than Azure allows',
    { tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`tag${index}`, ''])) },
    /^- tags has 51 tags: expected at most 50$/,
  ],
  ['an empty list of issuers', { issuers: [] }, /^- issuers ./],
  ['issuers that are not JSON', { issuers: 'https://sign-in.example' }, /^- issuers .*JSON/],
  ['a missing audience', { issuers: [{ issuer: 'https://sign-in.example' }] }, /^- issuers .*\/0 .*audience/],
  ['a misspelt audience', { issuers: [{ issuer: 'https://a.example', audiance: 'x' }] }, /^- issuers .*\/0 .*audience/],
  ['a numeric audience', { issuers: [{ ...issuer, audience: 5 }] }, /^- issuers .*\/0\/audience/],
  ['an issuer without TLS', { issuers: [{ ...issuer, issuer: 'http://sign-in.example' }] }, /^- issuers ./],
  ['the same issuer twice', { issuers: [issuer, issuer] }, /^- issuers .*twice/],
  [
    'a placeholder',
    { issuers: [{ ...issuer, issuer: 'https://sign-in.example/<tenant>/v2.0' }] },
    /^- issuers has the placeholder <tenant>: replace it/,
  ],
  [
    'a Teams tenant that is not a GUID',
    { teamsExtension: { tenantId: 'contoso', clientIds: [guid] } },
    /^- teamsExtension is invalid: \/tenantId must match format "uuid"$/,
  ],
  [
    'a missing package',
    { deployPackage: true },
    /^- packagePath: \/nowhere\/dist\.zip is missing: run `npm run build`, or set deployPackage to false$/,
  ],
])('rejects %s', (_name, options, expected) => {
  expect(getIssues(options)).toEqual([expect.stringMatching(expected)])
})

it.each(['local', 'dev', 'prod'])('deploys the package of the stack %s by default', (stack) => {
  const { deployPackage: _, ...options } = source({}).options
  const packagePath = import.meta.filename
  expect(parseConfig(source({}, { stack, options, packagePath }))).toMatchObject({ deployPackage: true, packagePath })
})

it('resolves the path of a package from the folder of the program', () => {
  const program = join(import.meta.dirname, '..')
  const parse = (packagePath: string) => parseConfig(source({ packagePath })).packagePath
  expect([parse('../a.zip'), parse('/b.zip')]).toEqual([join(program, '../a.zip'), '/b.zip'])
})

it('rejects missing options', () => {
  const { issuers: _, ...options } = source({}).options
  expect(getIssues({}, { options, location: undefined })).toEqual([
    expect.stringMatching(/^- azure-native:location is missing: pulumi config set /),
    expect.stringMatching(/^- issuers is missing: set issuers\[0\]\.issuer and /),
  ])
})

it('lists all issues at once', () => {
  const wrong = {
    dataLocation: 'Mars',
    publicNetworkAccess: 'none',
    sku: 'F1',
    allowedOrigins: ['https://a.example/x', 'a.example'],
    issuers: [{ issuer: 5 }],
    tags: { a: 1, b: true },
    protect: 'no',
    datalocation: 'x',
  }
  expect(getIssues(wrong, { location: '' })).toHaveLength(11)
})

it('reports what the plan cannot do next to other issues, and nothing that follows from them', () => {
  expect(getIssues({ instances: { min: 1, max: 4 }, zoneRedundant: true, redundancy: 'x' })).toEqual([
    expect.stringMatching(/^- redundancy is "x"/),
    expect.stringMatching(/^- instances has limits, but the plan B1/),
    expect.stringMatching(/^- instances is 4: the plan B1/),
    expect.stringMatching(/^- zoneRedundant is true, but the plan B1/),
    expect.stringMatching(/^- zoneRedundant is true, but one instance/),
  ])
  expect(getIssues({ sku: 'Q1', instances: 4, zoneRedundant: true })).toEqual([expect.stringMatching(/^- sku is "Q1"/)])
  expect(getIssues({ sku: 'P0v3', instances: 'x', zoneRedundant: true })).toEqual([
    expect.stringMatching(/^- instances is x/),
  ])
})

it('never repeats the value of a setting, which may be secret', () => {
  const given = { LOG_LEVEL: 'hush', TOKENS_PER_MINUTE: 'hush', PORT: 'hush', UNKNOWN: 'hush', ACS_SDK: { a: 'hush' } }
  const issues = getIssues({ settings: given })
  expect(issues).toHaveLength(5)
  expect(issues.join('\n')).not.toContain('hush')
})

it('lists each issue of the issuers once', () => {
  const issuers = [
    { issuer: 'https://sign-in.example/<tenant>/v2.0', audience: '<application>' },
    { issuer: 'https://a.example/<tenant>' },
    { issuer: 'https://b.example', audience: 5 },
    { issuer: 'ftp://c', audience: 'c' },
  ]
  expect(getIssues({ issuers })).toEqual([
    '- issuers has the placeholder <tenant>: replace it (see README.md)',
    '- issuers has the placeholder <application>: replace it (see README.md)',
    expect.stringMatching(
      /^- issuers is invalid: \/1 must have required properties audience; \/2\/audience must be string or array; \/3\/issuer must be an https URL[^;]*$/,
    ),
  ])
})

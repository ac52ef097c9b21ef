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
    publicNetworkAccess: 'Enabled',
    sku: 'B1',
    allowedOrigins: [],
    issuers: [issuer],
    teamsExtension: undefined,
    tags: {},
    protect: false,
    deployPackage: false,
  })
  expect(parseConfig(source({ keyless: true }, { stack: 'prod' }))).toMatchObject({ protect: true, keyless: true })
})

it('accepts the origins that the service accepts', () => {
  const allowedOrigins = ['https://app.example.com', 'http://localhost:*']
  expect(parseConfig(source({ allowedOrigins }))).toMatchObject({ allowedOrigins })
})

it('names a placeholder of teamsExtension', () => {
  const issues = getIssues({ teamsExtension: { tenantId: guid, clientIds: ['<application>'] } })
  expect(issues).toContain('- teamsExtension has the placeholder <application>: replace it (see README.md)')
})

it('passes teamsExtension to the service', () => {
  const teamsExtension = { tenantId: guid, clientIds: [guid] }
  const config = parseConfig(source({ teamsExtension }))
  const environment = serviceSettings({ config, communication: {}, store: {}, identity: {} } as never)
  expect(settings.TEAMS_EXTENSION.parse(String(environment.TEAMS_EXTENSION))).toEqual(teamsExtension)
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
  ['an invalid flag', { keyless: 'yes' }, /^- keyless is "yes": expected true or false$/],
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
    /^- deployPackage: \/nowhere\/dist\.zip is missing: run `npm run build`/,
  ],
])('rejects %s', (_name, options, expected) => {
  expect(getIssues(options)).toEqual([expect.stringMatching(expected)])
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

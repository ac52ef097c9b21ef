import { existsSync } from 'node:fs'
import { parseJson, readSettings, settings, SettingsError, type Issuer } from '@acs-kit/service-settings'
import { RunError } from '@pulumi/pulumi'
import { serviceSettings } from './app-settings.ts'

/**
 * Data locations of a Communication Services resource, from Terraform's documentation. The emulator has its own list: it
 * imitates Azure, and must not accept a mistake made here.
 */
const dataLocations = [
  'Africa',
  'Asia Pacific',
  'Australia',
  'Brazil',
  'Canada',
  'Europe',
  'France',
  'Germany',
  'India',
  'Japan',
  'Korea',
  'Norway',
  'Switzerland',
  'UAE',
  'UK',
  'usgov',
  'United States',
] as const

export type DataLocation = (typeof dataLocations)[number]

const networkAccessModes = ['Enabled', 'Disabled', 'SecuredByPerimeter'] as const

export type PublicNetworkAccess = (typeof networkAccessModes)[number]

export interface StackConfig {
  readonly dataLocation: DataLocation
  readonly keyless: boolean
  readonly publicNetworkAccess: PublicNetworkAccess
  readonly sku: string
  readonly allowedOrigins: readonly string[]
  readonly issuers: readonly Issuer[]
  /** JSON, validated with the service's own rules. */
  readonly teamsExtension: string | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly protect: boolean
  readonly deployPackage: boolean
}

export interface ConfigSource {
  readonly stack: string
  /** The program's options in the engine's form: lists and maps are JSON. */
  readonly options: Readonly<Record<string, string>>
  /** `azure-native:location`. */
  readonly location: string | undefined
  /** Path of the service's package, required unless `deployPackage` is false. */
  readonly packagePath: string
}

/** Azure's limit per resource. */
const maxTags = 50

/** App Service plans that support "always on", which excludes the free and shared ones. */
const skus = /^(?:B[1-3]|S[1-3]|P[1-3]v2|P[0-3]v3|P[1-5]mv3)$/

/**
 * Parses a stack's configuration and fills in the defaults.
 *
 * @throws {RunError} with a list of all issues
 */
export function parseConfig({ stack, options, location, packagePath }: ConfigSource): StackConfig {
  const issues: string[] = []
  const parse = <Value>(name: string, fallback: Value, parser: (text: string) => Value): Value => {
    const text = options[name]
    if (text === undefined) return fallback
    try {
      return parser(text)
    } catch (error) {
      issues.push(...(error as Error).message.split('\n').map((line) => `${name}${line}`))
      return fallback
    }
  }
  const config: StackConfig = {
    dataLocation: parse('dataLocation', 'United States', oneOf(dataLocations)),
    keyless: parse('keyless', false, parseFlag),
    publicNetworkAccess: parse('publicNetworkAccess', 'Enabled', oneOf(networkAccessModes)),
    sku: parse('sku', 'B1', parseSku),
    allowedOrigins: parse('allowedOrigins', [], parseOrigins),
    issuers: parse('issuers', [], parseIssuers),
    teamsExtension: parse('teamsExtension', undefined, parseTeamsExtension),
    tags: parse('tags', {}, parseTags),
    protect: parse('protect', stack === 'prod', parseFlag),
    deployPackage: parse('deployPackage', stack !== 'local', parseFlag),
  }
  issues.push(
    ...Object.keys(options).flatMap((name) => (Object.hasOwn(config, name) ? [] : [`${name}: unknown option`])),
  )
  if (!location) issues.push('azure-native:location is missing: pulumi config set azure-native:location westeurope')
  if (options['issuers'] === undefined) {
    issues.push('issuers is missing: set issuers[0].issuer and issuers[0].audience (see README.md)')
  }
  if (config.deployPackage && !existsSync(packagePath)) {
    issues.push(`deployPackage: ${packagePath} is missing: run \`npm run build\`, or set deployPackage to false`)
  }
  issues.push(...getServiceIssues(config))
  if (issues.length === 0) return config
  throw new RunError(`invalid configuration of the stack ${stack}:\n${issues.map((issue) => `- ${issue}`).join('\n')}`)
}

// The parsers throw one line for each issue; the option's name is prepended to it.

function oneOf<Value extends string>(allowed: readonly Value[]): (text: string) => Value {
  return (text) => {
    const value = allowed.find((known) => known === text)
    if (value === undefined) throw new Error(` is ${JSON.stringify(text)}: expected one of ${allowed.join(', ')}`)
    return value
  }
}

function parseFlag(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new Error(` is ${JSON.stringify(text)}: expected true or false`)
}

function parseSku(text: string): string {
  if (skus.test(text)) return text
  throw new Error(` is ${JSON.stringify(text)}: expected a plan that is always on, such as B1, S1 or P0v3`)
}

function parseOrigins(text: string): readonly string[] {
  const list = parseJson(text)
  if (!Array.isArray(list)) throw new Error(' is not a list: pulumi config set --path allowedOrigins[0] https://…')
  const wrong = list.filter((origin) => typeof origin !== 'string' || !isAllowedOrigin(origin))
  if (wrong.length === 0) return list
  const issues = wrong.map(
    (origin) =>
      ` has ${JSON.stringify(origin)}: expected an origin without a path or wildcard, such as https://app.example.com`,
  )
  throw new Error(issues.join('\n'))
}

function isAllowedOrigin(text: string): boolean {
  try {
    settings.ALLOWED_ORIGINS.parse(text)
    return true
  } catch {
    return false
  }
}

function parseIssuers(text: string): readonly Issuer[] {
  return parseSetting(text, settings.SIGN_IN_ISSUERS)
}

function parseTeamsExtension(text: string): string {
  parseSetting(text, settings.TEAMS_EXTENSION)
  return text
}

/** Parses JSON with the rules of a setting of the service. */
function parseSetting<Value>(text: string, { parse }: { readonly parse: (text: string) => Value }): Value {
  const placeholders = new Set(text.match(/<[^<>]*>/g))
  const issues = [...placeholders].map((name) => ` has the placeholder ${name}: replace it (see README.md)`)
  try {
    const value = parse(text)
    if (issues.length === 0) return value
  } catch (error) {
    issues.push(` ${(error as Error).message}`)
  }
  throw new Error(issues.join('\n'))
}

function parseTags(text: string): Readonly<Record<string, string>> {
  const tags = parseJson(text)
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) {
    throw new Error(' is not a map: pulumi config set --path tags.environment dev')
  }
  const issues = Object.entries(tags).flatMap(([name, value]: [string, unknown]) => {
    if (!/^[^<>%&\\?/]{1,128}$/.test(name)) return [`.${name}: expected a name of 1 to 128 characters without <>%&\\?/`]
    // Not converted, because YAML has already parsed it: the number 0042 is 34 now, and 1.10 is 1.1.
    if (typeof value !== 'string') return [`.${name} is not a string: quote it, or set it with --type string`]
    return value.length > 256 ? [`.${name} is too long: expected at most 256 characters`] : []
  })
  const count = Object.keys(tags).length
  if (count > maxTags) issues.push(` has ${count} tags: expected at most ${maxTags}`)
  if (issues.length > 0) throw new Error(issues.join('\n'))
  return tags as Readonly<Record<string, string>>
}

/**
 * Returns why the service would reject this configuration. Uses examples for values that only Azure knows, and for missing
 * or invalid issuers, which are already reported.
 */
function getServiceIssues(config: StackConfig): readonly string[] {
  const key = 'endpoint=https://example.communication.azure.com/;accesskey=a2V5'
  const id = '00000000-0000-0000-0000-000000000000'
  const exampleIssuer = { issuer: 'https://sign-in.example', audience: 'api://tokens' }
  const environment = serviceSettings({
    config: { ...config, issuers: config.issuers.length > 0 ? config.issuers : [exampleIssuer] },
    communication: {
      endpoint: 'https://example.communication.azure.com/',
      immutableResourceId: id,
      connectionString: config.keyless ? undefined : key,
      secondaryConnectionString: config.keyless ? undefined : key,
    },
    store: { endpoint: 'https://example.table.core.windows.net/', table: 'identities' },
    identity: { clientId: id },
  })
  try {
    readSettings(environment)
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.issues
    throw error
  }
}

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { readSettings, settings, SettingsError, type Issuer, type SettingName } from '@acs-kit/service-settings'
import { RunError } from '@pulumi/pulumi'
import { serviceSettings } from './app-settings.ts'
import { integer, jsonFor, oneOf, parseFlag, parseIssuers, parseOrigins, parseTags } from './config/option-parsers.ts'
import { findPlanIssues, parseInstances, parseSku, type PlanOptions } from './config/plan.ts'
import { parseServiceSettings } from './config/service-settings-option.ts'
import { describeConflict, keyNames, parseRotation, type KeyName, type Rotation } from './rotation/rotation-record.ts'

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

const redundancies = ['LRS', 'ZRS', 'GZRS'] as const

export type Redundancy = (typeof redundancies)[number]

export interface StackConfig extends PlanOptions {
  readonly dataLocation: DataLocation
  readonly keyless: boolean
  /** Access key that the service prefers. */
  readonly activeKey: KeyName
  /** Record of `npm run rotate`. */
  readonly rotation: Rotation | undefined
  readonly publicNetworkAccess: PublicNetworkAccess
  /** Copies of the data in the storage accounts. */
  readonly redundancy: Redundancy
  readonly logRetentionDays: number
  readonly allowedOrigins: readonly string[]
  readonly issuers: readonly Issuer[]
  /** JSON, validated with the service's own rules. */
  readonly teamsExtension: string | undefined
  /** Also JSON. */
  readonly scopePolicy: string | undefined
  /** Further settings of the service. */
  readonly settings: Readonly<Partial<Record<SettingName, string>>>
  readonly tags: Readonly<Record<string, string>>
  readonly protect: boolean
  readonly deployPackage: boolean
  readonly packagePath: string
}

export interface ConfigSource {
  readonly stack: string
  /** The program's options in the engine's form: lists and maps are JSON. */
  readonly options: Readonly<Record<string, string>>
  /** `azure-native:location`. */
  readonly location: string | undefined
  /** Default path of the service's package. */
  readonly packagePath: string
}

/** Bound of our own: App Service deletes the oldest lines long before, at 100 MB. */
const maxRetentionDays = 365

/**
 * Parses a stack's configuration and fills in the defaults.
 *
 * @throws {RunError} with a list of all issues
 */
export function parseConfig({ stack, options, location, packagePath }: ConfigSource): StackConfig {
  const isProd = stack === 'prod'
  const issues: string[] = []
  const invalid = new Set<string>()
  const parse = <Value>(name: string, fallback: Value, parser: (text: string) => Value): Value => {
    const text = options[name]
    if (text === undefined) return fallback
    try {
      return parser(text)
    } catch (error) {
      invalid.add(name)
      issues.push(...(error as Error).message.split('\n').map((line) => `${name}${line}`))
      return fallback
    }
  }
  const config: StackConfig = {
    dataLocation: parse('dataLocation', 'United States', oneOf(dataLocations)),
    keyless: parse('keyless', false, parseFlag),
    activeKey: parse('activeKey', 'primary', oneOf(keyNames)),
    rotation: parse('rotation', undefined, parseRotation),
    publicNetworkAccess: parse('publicNetworkAccess', 'Enabled', oneOf(networkAccessModes)),
    redundancy: parse('redundancy', isProd ? 'ZRS' : 'LRS', oneOf(redundancies)),
    sku: parse('sku', 'B1', parseSku),
    instances: parse('instances', 1, parseInstances),
    zoneRedundant: parse('zoneRedundant', false, parseFlag),
    logRetentionDays: parse('logRetentionDays', isProd ? 30 : 7, integer(1, maxRetentionDays)),
    allowedOrigins: parse('allowedOrigins', [], parseOrigins),
    issuers: parse('issuers', [], parseIssuers),
    teamsExtension: parse('teamsExtension', undefined, jsonFor(settings.TEAMS_EXTENSION)),
    scopePolicy: parse('scopePolicy', undefined, jsonFor(settings.SCOPE_POLICY)),
    settings: parse('settings', {}, parseServiceSettings),
    tags: parse('tags', {}, parseTags),
    protect: parse('protect', isProd, parseFlag),
    deployPackage: parse('deployPackage', true, parseFlag),
    packagePath: parse('packagePath', packagePath, (path) => resolve(import.meta.dirname, path)),
  }
  issues.push(
    ...Object.keys(options).flatMap((name) => (Object.hasOwn(config, name) ? [] : [`${name}: unknown option`])),
  )
  if (!location) issues.push('azure-native:location is missing: pulumi config set azure-native:location westeurope')
  if (options['issuers'] === undefined) {
    issues.push('issuers is missing: set issuers[0].issuer and issuers[0].audience (see README.md)')
  }
  if (config.deployPackage && !existsSync(config.packagePath)) {
    issues.push(`packagePath: ${config.packagePath} is missing: run \`npm run build\`, or set deployPackage to false`)
  }
  issues.push(...findPlanIssues(config, (...names) => names.every((name) => !invalid.has(name))))
  issues.push(...getKeyIssues(config, options), ...getServiceIssues(config))
  if (issues.length === 0) return config
  throw new RunError(`invalid configuration of the stack ${stack}:\n${issues.map((issue) => `- ${issue}`).join('\n')}`)
}

function getKeyIssues(
  { keyless, activeKey, rotation }: StackConfig,
  options: ConfigSource['options'],
): readonly string[] {
  const ineffective = ['activeKey', 'rotation'].filter((name) => keyless && options[name] !== undefined)
  if (ineffective.length > 0)
    return ineffective.map((name) => `${name} has no effect with keyless, which disables access keys: remove it`)
  return rotation?.key === activeKey ? [`rotation${describeConflict(activeKey)}`] : []
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

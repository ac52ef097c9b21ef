import type { SettingName } from '@acs-kit/service-settings'
import { output, secret, type Input, type Output } from '@pulumi/pulumi'
import type { StackConfig } from './config.ts'
import { isRange } from './config/plan.ts'

/** All settings of the service; undefined leaves one at its default. A missing setting is a compile error. */
export type ServiceSettings<Text = Input<string>> = { readonly [Name in SettingName]: Text | string | undefined }

export interface ServiceSettingsArgs<Text> {
  readonly config: Pick<
    StackConfig,
    'keyless' | 'activeKey' | 'issuers' | 'allowedOrigins' | 'teamsExtension' | 'scopePolicy' | 'instances' | 'settings'
  >
  readonly communication: {
    readonly endpoint: Text
    readonly immutableResourceId: Text
    /** Undefined if keyless. */
    readonly connectionString: Text | undefined
    readonly secondaryConnectionString: Text | undefined
  }
  readonly store: { readonly endpoint: Text; readonly table: Text }
  readonly identity: { readonly clientId: Text }
}

const byProgram = 'is set by the program: remove it'

/** Settings that the option `settings` must not contain, with the reason and what to do. */
export const ownSettings: { readonly [Name in SettingName]?: string } = {
  SIGN_IN_ISSUERS: useOption('issuers'),
  COMMUNICATION_SERVICES_CONNECTION_STRING: byProgram,
  COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: byProgram,
  COMMUNICATION_SERVICES_ENDPOINT: byProgram,
  COMMUNICATION_SERVICES_RESOURCE_ID: byProgram,
  AZURE_CLIENT_ID: byProgram,
  IDENTITY_STORE_CONNECTION_STRING: byProgram,
  IDENTITY_STORE_ENDPOINT: byProgram,
  IDENTITY_STORE_TABLE: byProgram,
  SCOPE_POLICY: useOption('scopePolicy'),
  TEAMS_EXTENSION: useOption('teamsExtension'),
  ALLOWED_ORIGINS: useOption('allowedOrigins'),
  INSTANCES: useOption('instances'),
  TRUSTED_PROXIES: byProgram,
  HOST: 'would hide the service from App Service: remove it',
  PORT: 'is set by App Service: remove it',
}

function useOption(name: keyof StackConfig): string {
  return `is set by the program: use the option ${name}`
}

export function serviceSettings<Text>({
  config,
  communication,
  store,
  identity,
}: ServiceSettingsArgs<Text>): ServiceSettings<Text> {
  const { keyless, activeKey, issuers, allowedOrigins, teamsExtension, scopePolicy, instances } = config
  const { connectionString: primary, secondaryConnectionString: secondary } = communication
  const [first, second] = activeKey === 'primary' ? [primary, secondary] : [secondary, primary]
  return {
    SIGN_IN_ISSUERS: JSON.stringify(issuers),
    COMMUNICATION_SERVICES_CONNECTION_STRING: first,
    COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: second,
    COMMUNICATION_SERVICES_ENDPOINT: keyless ? communication.endpoint : undefined,
    COMMUNICATION_SERVICES_RESOURCE_ID: communication.immutableResourceId,
    AZURE_CLIENT_ID: identity.clientId,
    IDENTITY_STORE_CONNECTION_STRING: undefined,
    IDENTITY_STORE_ENDPOINT: store.endpoint,
    IDENTITY_STORE_TABLE: store.table,
    SCOPE_POLICY: scopePolicy,
    REMAP_FOREIGN_IDENTITIES: undefined,
    ACS_SDK: undefined,
    TEAMS_CLIENT_ID: undefined,
    TEAMS_EXTENSION: teamsExtension,
    ALLOWED_ORIGINS: allowedOrigins.length > 0 ? allowedOrigins.join(',') : undefined,
    ALLOWED_HEADERS: undefined,
    REVOCATION_BOUND_SECONDS: undefined,
    INSTANCES: String(isRange(instances) ? instances.max : instances),
    UPSTREAM_DEADLINE_MS: undefined,
    TOKENS_PER_MINUTE: undefined,
    BAD_REQUESTS_PER_MINUTE: undefined,
    // App Service's front end is the only proxy.
    TRUSTED_PROXIES: '1',
    REFERENCE_PAGE: undefined,
    METRICS_PORT: undefined,
    METRICS_HOST: undefined,
    OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
    OTEL_EXPORTER_OTLP_HEADERS: undefined,
    OTEL_EXPORTER_OTLP_PROTOCOL: undefined,
    OTEL_SERVICE_NAME: undefined,
    OTEL_RESOURCE_ATTRIBUTES: undefined,
    OTEL_TRACES_SAMPLER: undefined,
    OTEL_TRACES_SAMPLER_ARG: undefined,
    OTEL_BSP_SCHEDULE_DELAY: undefined,
    OTEL_METRIC_EXPORT_INTERVAL: undefined,
    HOST: undefined,
    PORT: undefined,
    LOG_LEVEL: undefined,
    ...config.settings,
  }
}

/** Converts settings to App Service's form. All become secret if one is, or if `isSecret`. */
export function toAppSettings(
  settings: Readonly<Record<string, Input<string> | undefined>>,
  isSecret: boolean,
): Output<{ name: string; value: string }[]> {
  const set = Object.entries(settings).filter((entry): entry is [string, Input<string>] => entry[1] !== undefined)
  const list = set.map(([name, value]) => ({ name, value }))
  return isSecret ? secret(list) : output(list)
}

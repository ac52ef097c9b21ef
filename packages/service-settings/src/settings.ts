import { parseConnectionString, parseEndpoint, sdkNames, type SdkName } from '@acs-kit/communication-identity'
import { issuers, type Issuer } from './issuer.ts'
import { defaultScopePolicy, scopePolicy, type ScopePolicy } from './scope-policy.ts'
import { endpoint, flag, guid, integer, oneOf, optional, origins, setting, type Setting } from './setting.ts'
import { storageConnectionString } from './storage-connection-string.ts'
import { teamsExtension, type TeamsExtension } from './teams-extension.ts'
import { collectorEndpoint, exportHeaders, keyValues, ratio, samplers, type Sampler } from './telemetry.ts'

/**
 * Description, default and parser of every environment variable of the token service, by name.
 *
 * @example
 * settings.PORT.fallback // 8080
 * settings.PORT.parse('80a') // throws an Error: must be a whole number from 0 to 65535
 */
export const settings = {
  SIGN_IN_ISSUERS: setting<readonly Issuer[]>('Trusted sign-in issuers, see below; required', issuers, []),
  COMMUNICATION_SERVICES_CONNECTION_STRING: optional(
    'Connection string of the resource, with the primary access key',
    communicationConnectionString,
  ),
  COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: optional(
    'Connection string with the secondary access key, used when the primary key is rejected',
    communicationConnectionString,
  ),
  COMMUNICATION_SERVICES_ENDPOINT: optional(
    'Endpoint of the resource, for keyless access with a managed identity; ignored if a connection string of the same resource is set',
    communicationEndpoint,
  ),
  COMMUNICATION_SERVICES_RESOURCE_ID: optional(
    'Immutable id of the resource; default: read from the first identity that the service creates',
    guid,
  ),
  AZURE_CLIENT_ID: optional('Client id of a user-assigned managed identity', guid),
  IDENTITY_STORE_CONNECTION_STRING: optional(
    'Connection string of the storage account, or of Cosmos DB for Table',
    storageConnectionString,
  ),
  IDENTITY_STORE_ENDPOINT: optional(
    'Endpoint of the table service, for keyless access with a managed identity',
    endpoint,
  ),
  IDENTITY_STORE_TABLE: setting('Table of the identities; created at startup if missing', tableName, 'identities'),
  SCOPE_POLICY: setting<ScopePolicy>(
    'Scopes and maximum lifetimes by role, see below',
    scopePolicy,
    defaultScopePolicy,
  ),
  REMAP_FOREIGN_IDENTITIES: setting(
    'Replaces an identity that belongs to another resource; otherwise its user is rejected',
    flag,
    false,
  ),
  ACS_SDK: setting<SdkName>('Generation of the ACS SDK to use', oneOf(...sdkNames), 'identity'),
  TEAMS_CLIENT_ID: optional(
    "Id of the application that requests Teams users' tokens; without it, the Teams token exchange is disabled",
    guid,
  ),
  TEAMS_EXTENSION: optional<TeamsExtension>(
    'Tenant and applications of Teams Phone extensibility, see below; without it, assignments are disabled',
    teamsExtension,
  ),
  ALLOWED_ORIGINS: setting<readonly string[]>(
    'Origins whose pages may call the service, comma-separated; `http://localhost:*` allows each port of this machine',
    origins,
    [],
  ),
  ALLOWED_HEADERS: setting<readonly string[]>(
    'Additional request headers that these pages may send, comma-separated; tracing headers are always allowed',
    headerNames,
    [],
  ),
  REVOCATION_BOUND_SECONDS: setting('Maximum age of cached identities and verified sign-ins', integer(10, 3600), 300),
  INSTANCES: setting("Number of instances that share the resource's rate limits", integer(1, 100), 1),
  UPSTREAM_DEADLINE_MS: setting(
    'Maximum duration of a call to Azure Communication Services, retries included',
    integer(100, 60_000),
    5000,
  ),
  TOKENS_PER_MINUTE: setting('Maximum requests per user and minute', integer(1, 100_000), 60),
  BAD_REQUESTS_PER_MINUTE: setting(
    'Maximum rejected requests per minute from an address (IPv6: a /56 network) or a signed-in user',
    integer(1, 100_000),
    120,
  ),
  TRUSTED_PROXIES: setting(
    'Number of proxies in front of the service whose X-Forwarded-For is trusted',
    integer(0, 10),
    0,
  ),
  REFERENCE_PAGE: setting('Serves /reference, an interactive API reference', flag, false),
  METRICS_PORT: optional('Port of the metrics listener; without it, metrics are disabled', integer(0, 65_535)),
  METRICS_HOST: setting('Address of the metrics listener', String, '127.0.0.1'),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    'URL of an OpenTelemetry collector for traces and metrics; without it, neither is exported',
    collectorEndpoint,
  ),
  OTEL_EXPORTER_OTLP_HEADERS: setting<Readonly<Record<string, string>>>(
    'Headers of exports, such as `api-key=<key>`, comma-separated and percent-encoded',
    exportHeaders,
    {},
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: setting<'http/protobuf' | 'http/json'>(
    'Encoding of exports',
    oneOf('http/protobuf', 'http/json'),
    'http/protobuf',
  ),
  OTEL_SERVICE_NAME: setting('Name of the service in traces and metrics', String, 'acs-kit-token-service'),
  OTEL_RESOURCE_ATTRIBUTES: setting<Readonly<Record<string, string>>>(
    'Additional attributes of all traces and metrics, such as `deployment.environment.name=prod`, comma-separated and percent-encoded',
    keyValues,
    {},
  ),
  OTEL_TRACES_SAMPLER: setting<Sampler>(
    'Decides which requests are traced',
    oneOf(...samplers),
    'parentbased_always_on',
  ),
  OTEL_TRACES_SAMPLER_ARG: setting('Share of requests that a `traceidratio` sampler traces', ratio, 1),
  OTEL_BSP_SCHEDULE_DELAY: setting('Milliseconds between two exports of traces', integer(1, 600_000), 5000),
  OTEL_METRIC_EXPORT_INTERVAL: setting('Milliseconds between two exports of metrics', integer(100, 3_600_000), 60_000),
  HOST: setting('Address to listen on', String, '0.0.0.0'),
  PORT: setting('Port to listen on; 0 selects a free port', integer(0, 65_535), 8080),
  LOG_LEVEL: setting<'error' | 'warn' | 'info' | 'debug'>(
    'Minimum log level',
    oneOf('error', 'warn', 'info', 'debug'),
    'info',
  ),
} as const satisfies Record<string, Setting<unknown>>

/** Name of an environment variable of the token service. */
export type SettingName = keyof typeof settings
/** Parsed settings, by the name of their environment variable. */
export type Settings = { readonly [Name in SettingName]: (typeof settings)[Name]['fallback'] }

function communicationEndpoint(value: string): string {
  return parseEndpoint(value, (problem) => new Error(problem))
}

function communicationConnectionString(value: string): string {
  parseConnectionString(value, (problem) => new Error(problem))
  return value
}

function tableName(value: string): string {
  if (/^[A-Za-z][A-Za-z0-9]{2,62}$/.test(value)) return value
  throw new Error('must be 3 to 63 letters and digits, starting with a letter')
}

/** Parses comma-separated header names, without wildcards. */
function headerNames(value: string): readonly string[] {
  const list = value.split(',').map((name) => name.trim())
  if (list.every((name) => /^[\w!#$%&'+.^`|~-]+$/.test(name))) return list
  throw new Error('must list header names such as X-Correlation-Id, comma-separated')
}

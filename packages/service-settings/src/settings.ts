import { parseConnectionString, parseEndpoint, sdkNames, type SdkName } from '@acs-kit/communication-identity'
import { issuers, type Issuer } from './issuer.ts'
import { defaultScopePolicy, scopePolicy, type ScopePolicy } from './scope-policy.ts'
import { endpoint, flag, guid, integer, oneOf, origins, secret, setting, text, type Setting } from './setting.ts'
import { storageConnectionString } from './storage-connection-string.ts'

/** Every environment variable of the token service. */
export const settings = {
  SIGN_IN_ISSUERS: setting<readonly Issuer[]>('Who vouches for users; JSON, see below. Needed', issuers, []),
  COMMUNICATION_SERVICES_CONNECTION_STRING: secret(
    'Connection string of the resource, with its primary key',
    communicationConnectionString,
  ),
  COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: secret(
    'The same with the secondary key, for when the primary is refused',
    communicationConnectionString,
  ),
  COMMUNICATION_SERVICES_ENDPOINT: setting<string | undefined>(
    'Endpoint of the resource, in place of a connection string: keyless, with the managed identity; ignored next to a connection string of the same resource',
    communicationEndpoint,
    undefined,
  ),
  COMMUNICATION_SERVICES_RESOURCE_ID: setting<string | undefined>(
    'Immutable id (a GUID) of the resource; without it, the service learns it from the first identity that it creates',
    guid,
    undefined,
  ),
  AZURE_CLIENT_ID: setting<string | undefined>('Client id of a user-assigned managed identity', guid, undefined),
  IDENTITY_STORE_CONNECTION_STRING: secret(
    'Connection string of the storage account, or of Cosmos DB for Table',
    storageConnectionString,
  ),
  IDENTITY_STORE_ENDPOINT: setting<string | undefined>(
    'Endpoint of its table service, in place of a connection string: keyless',
    endpoint,
    undefined,
  ),
  IDENTITY_STORE_TABLE: setting(
    'Table of the identities; made at the start if it is not there',
    tableName,
    'identities',
  ),
  SCOPE_POLICY: setting<ScopePolicy>(
    'Scopes and longest lifetimes by role; JSON, see below',
    scopePolicy,
    defaultScopePolicy,
  ),
  REMAP_FOREIGN_IDENTITIES: setting(
    'Gives a user a new identity when the stored one belongs to another resource; otherwise that is refused',
    flag,
    false,
  ),
  ACS_SDK: setting<SdkName>('SDK generation to use', oneOf(...sdkNames), 'identity'),
  TEAMS_CLIENT_ID: setting<string | undefined>(
    'Application id that Teams users’ tokens are issued to; without it, they can’t be exchanged',
    guid,
    undefined,
  ),
  ALLOWED_ORIGINS: setting<readonly string[]>('Origins whose pages may call the service, comma-separated', origins, []),
  ALLOWED_HEADERS: setting<readonly string[]>(
    'Additional request headers that those pages may send, comma-separated; tracing headers are always allowed',
    headerNames,
    [],
  ),
  REVOCATION_BOUND_SECONDS: setting(
    'How long other instances may still hand out a cached token after a revocation, an outage of the store is bridged, and a verified sign-in is not verified again',
    integer(10, 3600),
    300,
  ),
  INSTANCES: setting('How many instances share the resource’s request limits', integer(1, 100), 1),
  UPSTREAM_DEADLINE_MS: setting('Longest wait for Azure Communication Services', integer(100, 60_000), 5000),
  TOKENS_PER_MINUTE: setting('Requests that a user may make in a minute', integer(1, 100_000), 60),
  BAD_REQUESTS_PER_MINUTE: setting(
    'Maximum rejected requests in a minute, of an address (IPv6: of a /56) or a signed-in user',
    integer(1, 100_000),
    120,
  ),
  TRUSTED_PROXIES: setting('Number of proxies in front, whose X-Forwarded-For is believed', integer(0, 10), 0),
  REFERENCE_PAGE: setting('Serves /reference, a page to read the API and try it', flag, false),
  METRICS_PORT: setting<number | undefined>(
    'Port of the Prometheus metrics; off when not set',
    integer(0, 65_535),
    undefined,
  ),
  METRICS_HOST: setting('Address that they are served on', text, '127.0.0.1'),
  HOST: setting('Address to listen on', text, '0.0.0.0'),
  PORT: setting('Port to listen on; 0 takes a free one', integer(0, 65_535), 8080),
  LOG_LEVEL: setting<'error' | 'warn' | 'info' | 'debug'>(
    'Least level that is logged',
    oneOf('error', 'warn', 'info', 'debug'),
    'info',
  ),
} as const satisfies Record<string, Setting<unknown>>

export type SettingName = keyof typeof settings
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
  throw new Error('must be 3 to 63 letters and digits, a letter first')
}

/** Comma-separated names, without wildcards. */
function headerNames(value: string): readonly string[] {
  const list = value.split(',').map((name) => name.trim())
  if (list.every((name) => /^[\w!#$%&'+.^`|~-]+$/.test(name))) return list
  throw new Error('must list header names such as X-Correlation-Id, comma-separated')
}

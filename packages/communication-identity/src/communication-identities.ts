import type { TokenCredential } from '@azure/core-auth'
import { callWithRetries, type CallOptions } from './calls.ts'
import { parseConnectionString, parseEndpoint } from './connection-string.ts'
import {
  sdkNames,
  type AccessToken,
  type Credentials,
  type Driver,
  type IdentityWithToken,
  type Scope,
  type SdkName,
  type TeamsAssignment,
  type TeamsPrincipal,
  type TeamsUserToken,
} from './driver.ts'

/** Name of a call, for limits that count each operation of the service. */
export type Operation = Exclude<keyof CommunicationIdentities, 'sdk' | 'endpoint'>

export interface CommunicationIdentitiesOptions {
  readonly sdk: SdkName
  /** Default of `CallOptions.deadlineMs`; default 10,000. */
  readonly deadlineMs?: number
  /** Runs before every attempt, retries included. An error that it throws ends the call and is passed on unchanged. */
  readonly beforeAttempt?: (operation: Operation) => void
}

export interface IssueOptions extends CallOptions {
  /** Lifetime, 60 to 1440 minutes; default: the service's, 24 hours. */
  readonly expiresInMinutes?: number | undefined
}

/**
 * The identities of one Azure Communication Services resource, and their access tokens. An aborted call rejects with the reason
 * of its signal.
 */
export interface CommunicationIdentities {
  readonly sdk: SdkName
  /** `https://<host>[:<port>]`. */
  readonly endpoint: string
  /**
   * Creates an identity. Not retried when the response is lost, since the retry would create a second identity.
   *
   * @param options Signal and deadline.
   * @returns The communication user id.
   * @throws {CommunicationIdentityError} When the call fails.
   */
  create(options?: CallOptions): Promise<string>
  /**
   * Creates an identity and issues its first token. Not retried when the response is lost.
   *
   * @param scopes Scopes of the token.
   * @param options Lifetime, signal and deadline.
   * @returns The communication user id and the token.
   * @throws {CommunicationIdentityError} When the call fails.
   */
  createWithToken(scopes: readonly Scope[], options?: IssueOptions): Promise<IdentityWithToken>
  /**
   * Issues a token.
   *
   * @param communicationUserId Id of the identity.
   * @param scopes Scopes of the token.
   * @param options Lifetime, signal and deadline.
   * @returns The token and its expiry.
   * @throws {CommunicationIdentityError} When the call fails.
   */
  issueToken(communicationUserId: string, scopes: readonly Scope[], options?: IssueOptions): Promise<AccessToken>
  /**
   * Revokes all tokens issued so far. The administration SDK takes about a second. The service may take up to 15 minutes to
   * apply the revocation everywhere.
   *
   * @param communicationUserId Id of the identity.
   * @param options Signal and deadline.
   * @throws {CommunicationIdentityError} When the call fails.
   */
  revokeTokens(communicationUserId: string, options?: CallOptions): Promise<void>
  /**
   * Deletes an identity and revokes its tokens.
   *
   * @param communicationUserId Id of the identity.
   * @param options Signal and deadline.
   * @throws {CommunicationIdentityError} When the call fails.
   */
  delete(communicationUserId: string, options?: CallOptions): Promise<void>
  /**
   * Exchanges the Entra ID token of a Teams user.
   *
   * @param token The Entra ID token, its application and its user.
   * @param options Signal and deadline.
   * @returns The communication access token and its expiry.
   * @throws {CommunicationIdentityError} When the call fails.
   */
  exchangeTeamsToken(token: TeamsUserToken, options?: CallOptions): Promise<AccessToken>
  /**
   * Returns the assignment of a Teams principal, which lets it use the resource (Teams Phone extensibility).
   *
   * @param principal Tenant and object id of the principal.
   * @param options Signal and deadline.
   * @returns The assignment, or undefined if it does not exist.
   * @throws {CommunicationIdentityError} When the call fails.
   */
  getTeamsAssignment(principal: TeamsPrincipal, options?: CallOptions): Promise<TeamsAssignment | undefined>
  /**
   * Creates or replaces the assignment of a Teams principal.
   *
   * @param principal Tenant and object id of the principal.
   * @param assignment Kind of the principal, and the applications that may exchange a user's tokens.
   * @param options Signal and deadline.
   * @returns The assignment as the service stored it.
   * @throws {CommunicationIdentityError} When the call fails.
   */
  putTeamsAssignment(
    principal: TeamsPrincipal,
    assignment: TeamsAssignment,
    options?: CallOptions,
  ): Promise<TeamsAssignment>
  /**
   * Deletes the assignment of a Teams principal, if it exists.
   *
   * @param principal Tenant and object id of the principal.
   * @param options Signal and deadline.
   * @throws {CommunicationIdentityError} When the call fails.
   */
  deleteTeamsAssignment(principal: TeamsPrincipal, options?: CallOptions): Promise<void>
}

/** Access to a resource: a connection string, or keyless with an Entra ID credential. */
export type Target =
  | { readonly connectionString: string }
  | { readonly endpoint: string; readonly credential: TokenCredential }

/** Loads drivers on demand: a process uses one of them, and the older one includes its own HTTP client. */
const drivers: Record<SdkName, () => Promise<(credentials: Credentials) => Driver>> = {
  administration: async () =>
    (await import('./administration-driver.ts').catch(explainMissingSdk)).createAdministrationDriver,
  identity: async () => (await import('./identity-driver.ts')).createIdentityDriver,
}

/** The packages of the older SDK are optional peer dependencies. */
function explainMissingSdk(error: NodeJS.ErrnoException): never {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
  throw new Error(
    'the administration SDK is not installed: install @azure/communication-administration@1.0.0-beta.4 and @azure/core-http@1, or use the identity SDK',
    { cause: error },
  )
}

/**
 * Creates the client of a resource. Sends no request.
 *
 * @param target Connection string, or endpoint and Entra ID credential.
 * @param options SDK to use, deadline and hook.
 * @returns The client.
 * @throws {Error} When the connection string or endpoint is malformed; the message does not repeat it.
 * @throws {Error} When the packages of the administration SDK are not installed.
 * @throws {RangeError} When `deadlineMs` is not a positive number of milliseconds below 2^31.
 * @example
 * const identities = await createCommunicationIdentities({ connectionString }, { sdk: 'identity' })
 * const { communicationUserId, token } = await identities.createWithToken(['chat', 'voip'])
 */
export async function createCommunicationIdentities(
  target: Target,
  options: CommunicationIdentitiesOptions,
): Promise<CommunicationIdentities> {
  const { deadlineMs, beforeAttempt } = options
  // A longer timer would fire immediately.
  if (deadlineMs !== undefined && !(deadlineMs > 0 && deadlineMs < 2 ** 31)) {
    throw new RangeError('deadlineMs must be a positive number of milliseconds')
  }
  const credentials =
    'connectionString' in target
      ? parseConnectionString(target.connectionString)
      : { ...target, endpoint: parseEndpoint(target.endpoint) }
  const driver = (await drivers[options.sdk]())(credentials)

  function call<Result>(
    operation: Operation,
    work: (signal: AbortSignal) => Promise<Result>,
    { signal, deadlineMs = options.deadlineMs }: CallOptions = {},
    { isRepeatable } = { isRepeatable: true },
  ): Promise<Result> {
    return callWithRetries(work, { signal, deadlineMs, isRepeatable, beforeAttempt: () => beforeAttempt?.(operation) })
  }

  return {
    sdk: options.sdk,
    endpoint: credentials.endpoint,
    create: (callOptions) => call('create', (signal) => driver.create(signal), callOptions, { isRepeatable: false }),
    createWithToken: (scopes, issueOptions) =>
      call(
        'createWithToken',
        (signal) => driver.createWithToken(scopes, issueOptions?.expiresInMinutes, signal),
        issueOptions,
        { isRepeatable: false },
      ),
    issueToken: (id, scopes, issueOptions) =>
      call(
        'issueToken',
        (signal) => driver.issueToken(id, scopes, issueOptions?.expiresInMinutes, signal),
        issueOptions,
      ),
    revokeTokens: (id, callOptions) => call('revokeTokens', (signal) => driver.revokeTokens(id, signal), callOptions),
    delete: (id, callOptions) => call('delete', (signal) => driver.delete(id, signal), callOptions),
    exchangeTeamsToken: (token, callOptions) =>
      call('exchangeTeamsToken', (signal) => driver.exchangeTeamsToken(token, signal), callOptions),
    getTeamsAssignment: (principal, callOptions) =>
      call('getTeamsAssignment', (signal) => driver.getTeamsAssignment(principal, signal), callOptions),
    putTeamsAssignment: (principal, assignment, callOptions) =>
      call('putTeamsAssignment', (signal) => driver.putTeamsAssignment(principal, assignment, signal), callOptions),
    deleteTeamsAssignment: (principal, callOptions) =>
      call('deleteTeamsAssignment', (signal) => driver.deleteTeamsAssignment(principal, signal), callOptions),
  }
}

/**
 * Parses the value of `ACS_SDK`.
 *
 * @param value Value of the variable.
 * @param fallback SDK to use when the variable is missing or empty.
 * @returns The name of the SDK.
 * @throws {Error} When the value is not the name of an SDK.
 * @example
 * parseSdkName(process.env['ACS_SDK'], 'identity')
 */
export function parseSdkName(value: string | undefined, fallback: SdkName): SdkName {
  const text = value?.trim() || fallback
  const sdk = sdkNames.find((name) => name === text)
  if (sdk === undefined) throw new Error(`ACS_SDK must be ${sdkNames.join(' or ')}`)
  return sdk
}

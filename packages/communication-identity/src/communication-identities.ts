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
  type TeamsUserToken,
} from './driver.ts'

/** The calls that count against a limit of the service each. */
export type Operation = Exclude<keyof CommunicationIdentities, 'sdk' | 'endpoint'>

export interface CommunicationIdentitiesOptions {
  readonly sdk: SdkName
  /** Milliseconds for a whole call unless the call says otherwise; default 10,000. */
  readonly deadlineMs?: number
  /** Called before every attempt, repetitions included; what it throws ends the call, and reaches the caller as it is. */
  readonly beforeAttempt?: (operation: Operation) => void
}

export interface IssueOptions extends CallOptions {
  /** 60 to 1440 minutes; by default the service's choice, 24 hours. */
  readonly expiresInMinutes?: number | undefined
}

/**
 * The identities of one Azure Communication Services resource, and their access tokens.
 * Every call rejects with a `CommunicationIdentityError`, or with the reason of the given signal.
 */
export interface CommunicationIdentities {
  readonly sdk: SdkName
  /** `https://<host>[:<port>]`. */
  readonly endpoint: string
  /** Returns the new communication user id. Not repeated when its answer was lost: that would leave a second identity. */
  create(options?: CallOptions): Promise<string>
  createWithToken(scopes: readonly Scope[], options?: IssueOptions): Promise<IdentityWithToken>
  issueToken(communicationUserId: string, scopes: readonly Scope[], options?: IssueOptions): Promise<AccessToken>
  /**
   * Revokes all tokens issued so far. The administration SDK needs about a second. The service may take up to 15 minutes to
   * make it known everywhere.
   */
  revokeTokens(communicationUserId: string, options?: CallOptions): Promise<void>
  /** Deletes the identity and revokes its tokens. */
  delete(communicationUserId: string, options?: CallOptions): Promise<void>
  /** Exchanges the Entra ID token of a Teams user. */
  exchangeTeamsToken(token: TeamsUserToken, options?: CallOptions): Promise<AccessToken>
}

export type Target =
  | { readonly connectionString: string }
  | { readonly endpoint: string; readonly credential: TokenCredential }

/** Loaded on demand: nobody runs both, and the older one brings a whole HTTP client of its own. */
const drivers: Record<SdkName, () => Promise<(credentials: Credentials) => Driver>> = {
  administration: async () => (await import('./administration-driver.ts')).createAdministrationDriver,
  identity: async () => (await import('./identity-driver.ts')).createIdentityDriver,
}

const defaultDeadlineMs = 10_000

/** Rejects when the connection string or endpoint is malformed, without repeating it. */
export async function createCommunicationIdentities(
  target: Target,
  options: CommunicationIdentitiesOptions,
): Promise<CommunicationIdentities> {
  const { deadlineMs } = options
  // A timer beyond 32 bits would fire at once.
  if (deadlineMs !== undefined && !(deadlineMs > 0 && deadlineMs < 2 ** 31)) {
    throw new RangeError('deadlineMs must be a positive number of milliseconds')
  }
  const credentials =
    'connectionString' in target
      ? parseConnectionString(target.connectionString)
      : { ...target, endpoint: parseEndpoint(target.endpoint) }
  const createDriver = await drivers[options.sdk]()
  return new DrivenCommunicationIdentities(credentials.endpoint, createDriver(credentials), options)
}

/** Reads the value of `ACS_SDK`. Throws for anything but the name of a driver. */
export function parseSdkName(value: string | undefined, fallback: SdkName): SdkName {
  const text = value?.trim()
  if (text === undefined || text === '') return fallback
  const sdk = sdkNames.find((name) => name === text)
  if (sdk === undefined) throw new Error(`ACS_SDK must be ${sdkNames.join(' or ')}`)
  return sdk
}

class DrivenCommunicationIdentities implements CommunicationIdentities {
  readonly sdk: SdkName
  readonly endpoint: string
  readonly #driver: Driver
  readonly #options: CommunicationIdentitiesOptions

  constructor(endpoint: string, driver: Driver, options: CommunicationIdentitiesOptions) {
    this.sdk = options.sdk
    this.endpoint = endpoint
    this.#driver = driver
    this.#options = options
  }

  create(options: CallOptions = {}) {
    return this.#call('create', (signal) => this.#driver.create(signal), options, { isRepeatable: false })
  }

  createWithToken(scopes: readonly Scope[], options: IssueOptions = {}) {
    return this.#call(
      'createWithToken',
      (signal) => this.#driver.createWithToken(scopes, options.expiresInMinutes, signal),
      options,
      {
        isRepeatable: false,
      },
    )
  }

  issueToken(communicationUserId: string, scopes: readonly Scope[], options: IssueOptions = {}) {
    return this.#call(
      'issueToken',
      (signal) => this.#driver.issueToken(communicationUserId, scopes, options.expiresInMinutes, signal),
      options,
    )
  }

  revokeTokens(communicationUserId: string, options: CallOptions = {}) {
    return this.#call('revokeTokens', (signal) => this.#driver.revokeTokens(communicationUserId, signal), options)
  }

  delete(communicationUserId: string, options: CallOptions = {}) {
    return this.#call('delete', (signal) => this.#driver.delete(communicationUserId, signal), options)
  }

  exchangeTeamsToken(token: TeamsUserToken, options: CallOptions = {}) {
    return this.#call('exchangeTeamsToken', (signal) => this.#driver.exchangeTeamsToken(token, signal), options)
  }

  #call<Result>(
    operation: Operation,
    work: (signal: AbortSignal) => Promise<Result>,
    { signal, deadlineMs = this.#options.deadlineMs ?? defaultDeadlineMs }: CallOptions,
    { isRepeatable } = { isRepeatable: true },
  ): Promise<Result> {
    const { beforeAttempt } = this.#options
    return callWithRetries(work, {
      signal,
      deadlineMs,
      isRepeatable,
      beforeAttempt: beforeAttempt && (() => beforeAttempt(operation)),
    })
  }
}

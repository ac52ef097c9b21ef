import type { TokenCredential } from '@azure/core-auth'
import { createAdministrationDriver } from './administration-driver.ts'
import { callWithRetries, type CallOptions } from './calls.ts'
import { parseConnectionString, parseEndpoint } from './connection-string.ts'
import type { AccessToken, Driver, IdentityWithToken, Scope, SdkName, TeamsUserToken } from './driver.ts'
import { createIdentityDriver } from './identity-driver.ts'

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
   * All tokens issued so far; with the administration SDK, those issued before this machine's clock. The service may take up to 15
   * minutes to make it known everywhere.
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

const drivers: Record<SdkName, typeof createIdentityDriver> = {
  administration: createAdministrationDriver,
  identity: createIdentityDriver,
}

const defaultDeadlineMs = 10_000

/** Throws when the connection string or endpoint is malformed, without repeating it. */
export function createCommunicationIdentities(
  target: Target,
  options: {
    readonly sdk: SdkName
    /** Milliseconds for a whole call unless the call says otherwise; default 10,000. */
    readonly deadlineMs?: number
  },
): CommunicationIdentities {
  const credentials =
    'connectionString' in target
      ? parseConnectionString(target.connectionString)
      : { ...target, endpoint: parseEndpoint(target.endpoint) }
  return new DrivenCommunicationIdentities(
    options.sdk,
    credentials.endpoint,
    drivers[options.sdk](credentials),
    options.deadlineMs,
  )
}

/** Reads the value of `ACS_SDK`. Throws for anything but the name of a driver. */
export function parseSdkName(text: string | undefined, fallback: SdkName): SdkName {
  if (text === undefined || text === '') return fallback
  if (text === 'administration' || text === 'identity') return text
  throw new Error(`ACS_SDK is ${JSON.stringify(text)}; it must be administration or identity`)
}

class DrivenCommunicationIdentities implements CommunicationIdentities {
  readonly sdk: SdkName
  readonly endpoint: string
  readonly #driver: Driver
  readonly #deadlineMs: number

  constructor(sdk: SdkName, endpoint: string, driver: Driver, deadlineMs = defaultDeadlineMs) {
    this.sdk = sdk
    this.endpoint = endpoint
    this.#driver = driver
    this.#deadlineMs = deadlineMs
  }

  create(options: CallOptions = {}) {
    return this.#call((signal) => this.#driver.create(signal), options, { isRepeatable: false })
  }

  createWithToken(scopes: readonly Scope[], options: IssueOptions = {}) {
    return this.#call((signal) => this.#driver.createWithToken(scopes, options.expiresInMinutes, signal), options, {
      isRepeatable: false,
    })
  }

  issueToken(communicationUserId: string, scopes: readonly Scope[], options: IssueOptions = {}) {
    return this.#call(
      (signal) => this.#driver.issueToken(communicationUserId, scopes, options.expiresInMinutes, signal),
      options,
    )
  }

  revokeTokens(communicationUserId: string, options: CallOptions = {}) {
    return this.#call((signal) => this.#driver.revokeTokens(communicationUserId, signal), options)
  }

  delete(communicationUserId: string, options: CallOptions = {}) {
    return this.#call((signal) => this.#driver.delete(communicationUserId, signal), options)
  }

  exchangeTeamsToken(token: TeamsUserToken, options: CallOptions = {}) {
    return this.#call((signal) => this.#driver.exchangeTeamsToken(token, signal), options)
  }

  #call<Result>(
    work: (signal: AbortSignal) => Promise<Result>,
    { signal, deadlineMs = this.#deadlineMs }: CallOptions,
    { isRepeatable } = { isRepeatable: true },
  ): Promise<Result> {
    return callWithRetries(work, { signal, deadlineMs, isRepeatable })
  }
}

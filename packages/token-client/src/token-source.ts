// Apps in this workspace compile this file with their own tsconfig, whose `lib` may lack `Disposable`.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Clock } from './clock.ts'
import type { Scope } from './contract.ts'

/** Communication access token. Each kind of source adds its own properties. */
export interface AccessToken {
  readonly token: string
  /** Expiry, ISO 8601. */
  readonly expiresOn: string
}

/** Properties of a requested token. Equal requests share a token. */
export interface TokenRequest {
  /** Requested scopes; the token has the permitted subset. Default: all that the user is permitted. */
  readonly scopes?: readonly Scope[] | undefined
  /** Maximum lifetime, from 60 to 1440; the token may expire slightly earlier. Default: the service's maximum. */
  readonly expiresInMinutes?: number | undefined
}

/** Request for a token, with a signal that ends the wait. */
export interface GetTokenOptions extends TokenRequest {
  /** Ends the wait with the signal's reason. The fetch continues for other callers. */
  readonly signal?: AbortSignal | undefined
}

/** Provides the user's access token. */
export interface TokenSource<Token extends AccessToken = AccessToken> extends Disposable {
  /**
   * Returns a valid token: the cached one, or a new one that all concurrent callers share. Retries transient failures for up
   * to 30 seconds.
   *
   * @param options Properties of the token, and a signal that ends the wait.
   * @returns A token that has not expired.
   * @throws A `TokenError`, or the signal's reason.
   */
  getToken(options?: GetTokenOptions): Promise<Token>
  /**
   * Drops all tokens and discards pending requests. Call it after a token was rejected and **whenever a user signs in or
   * out**.
   */
  invalidate(): void
  /**
   * Returns the time by which tokens expire.
   *
   * @returns Milliseconds since 1970, by the service's clock if it is known.
   */
  now(): number
  /** Stops refreshing and rejects pending calls with `disposed`. */
  dispose(): void
}

/** Options of every token source. */
export interface TokenSourceOptions<Token> {
  /** Receives every new token. */
  readonly onToken?: (token: Token) => void
  /** Receives the error of each failed background refresh, which is retried until the token expires. */
  readonly onError?: (error: unknown) => void
  /** Default: the machine's clock. */
  readonly clock?: Clock
  /** Source of jitter, from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number
}

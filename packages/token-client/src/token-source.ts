import type { Clock } from './clock.ts'
import type { Scope } from './contract.ts'

/** A communication access token, whatever else comes with it. */
export interface AccessToken {
  readonly token: string
  /** ISO 8601. */
  readonly expiresOn: string
}

export interface TokenRequest {
  /** Asked for; granted is what of it the user is allowed. Default: all that the user is allowed. */
  readonly scopes?: readonly Scope[]
  /** Longest lifetime asked for, from 60 to 1440; the token may live a little shorter. Default: the longest allowed. */
  readonly expiresInMinutes?: number
}

export interface GetTokenOptions extends TokenRequest {
  /** Ends the waiting with the signal's reason. What is being fetched arrives all the same, for others and later. */
  readonly signal?: AbortSignal
}

/** Whence the parts of an app get the access token of the signed-in user. */
export interface TokenSource<Token extends AccessToken = AccessToken> extends Disposable {
  /**
   * A token that is valid now. From memory, unless there is none: then a fetch that all waiting share, tried again for up
   * to 30 seconds while that may help. Rejects with a `TokenError`, or with the signal's reason.
   */
  getToken(options?: GetTokenOptions): Promise<Token>
  /**
   * What is kept, and what is on its way, counts no more; the next token is a new one. To be called when a token was
   * refused, and **when another user signs in or this one signs out**.
   */
  invalidate(): void
  /** The time by which tokens end, in milliseconds since 1970: that of the service, where it is known to differ. */
  now(): number
  /** Ends the refreshing; whoever waits for a token is refused with `disposed`. */
  dispose(): void
}

export interface TokenSourceOptions<Token> {
  /** Hears of every new token. */
  readonly onToken?: (token: Token) => void
  /** Hears of every refresh ahead of time that failed. It is tried again until the token's end. */
  readonly onError?: (error: unknown) => void
  /** Default: the machine's. */
  readonly clock?: Clock
  /** For jitter; default `Math.random`. */
  readonly random?: () => number
}

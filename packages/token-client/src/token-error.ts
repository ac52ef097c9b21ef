import type { ProblemCode } from './contract.ts'

/** Ways to fail that the service knows nothing of. */
export type ClientErrorCode =
  /** The service could not be reached. */
  | 'network-failed'
  /** It took too long. */
  | 'timeout'
  /** The answer does not fit the contract: is it the token service that answers there? */
  | 'response-invalid'
  /** The token had ended before it came. */
  | 'token-stale'
  /** `getSignInToken` failed; its error is the `cause`. */
  | 'sign-in-failed'
  /** The token was invalidated, or the user changed, while it was awaited. */
  | 'invalidated'
  /** The source is disposed. */
  | 'disposed'

export type TokenErrorCode = ProblemCode | ClientErrorCode

/** What the service said beside its code. */
export interface Refusal {
  readonly status?: number | undefined
  readonly retryAfter?: number | undefined
  readonly requestId?: string | undefined
}

const transientCodes: ReadonlySet<TokenErrorCode> = new Set(['network-failed', 'timeout', 'token-stale'])

/** Why there is no token. What to tell apart is in `code`; the message is for a log. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  declare readonly code: TokenErrorCode
  /** HTTP status, if the service answered. */
  declare readonly status: number | undefined
  /** Seconds that the service asks to wait for, at most an hour. */
  declare readonly retryAfter: number | undefined
  /** Finds the request in the service's log. */
  declare readonly requestId: string | undefined

  constructor(code: TokenErrorCode, message: string, { cause, ...refusal }: Refusal & { cause?: unknown } = {}) {
    super(message, { cause })
    Object.assign(this, { code, ...refusal })
  }

  /** Whether the same request may well succeed later. */
  get isTransient(): boolean {
    const { code, status = 0 } = this
    return transientCodes.has(code) || status === 408 || status === 429 || (status >= 500 && status !== 501)
  }
}

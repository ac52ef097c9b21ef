import type { ProblemCode } from './contract.ts'

/** Code of an error that the client detects itself. */
export type ClientErrorCode =
  /** The service could not be reached. */
  | 'network-failed'
  /** The service did not respond in time. */
  | 'timeout'
  /** The response does not match the contract: check whether `url` is the token service. */
  | 'response-invalid'
  /** The token had expired when it arrived. */
  | 'token-stale'
  /** `getSignInToken` failed; its error is the `cause`. */
  | 'sign-in-failed'
  /** The token was invalidated, or the user changed, while it was being fetched. */
  | 'invalidated'
  /** The source or credential was disposed. */
  | 'disposed'

/** Code of a {@link TokenError}: the service's or the client's own. */
export type TokenErrorCode = ProblemCode | ClientErrorCode

/** Details of a response that reports an error. */
export interface ErrorDetails {
  readonly status?: number | undefined
  readonly retryAfter?: number | undefined
  readonly requestId?: string | undefined
}

/** Codes of the client, and statuses of the service. */
const transient = /^(network-failed|timeout|token-stale|408|429|5(?!01)..)$/

/**
 * Failure of a token source. Branch on `code`; `message` is for logs and never contains a token.
 *
 * @example
 *   try {
 *     await tokens.getToken({ scopes: ['voip'] })
 *   } catch (error) {
 *     if (error instanceof TokenError && error.code === 'scope-not-allowed') hideCallButton()
 *     else throw error
 *   }
 */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  declare readonly code: TokenErrorCode
  /** HTTP status, if the service responded. */
  declare readonly status: number | undefined
  /** Seconds to wait before a retry, if the service requests a pause; at most 3600. */
  declare readonly retryAfter: number | undefined
  /** Identifies the request in the service's log. */
  declare readonly requestId: string | undefined

  /**
   * @param code Cause of the failure, for programs.
   * @param message Cause of the failure, for logs.
   * @param details Details of the response, and the `cause`, if any.
   */
  constructor(code: TokenErrorCode, message: string, { cause, ...details }: ErrorDetails & { cause?: unknown } = {}) {
    super(message, { cause })
    Object.assign(this, { code, ...details })
  }

  /** Whether the same request may succeed later. */
  get isTransient(): boolean {
    return transient.test(`${this.status ?? this.code}`)
  }
}

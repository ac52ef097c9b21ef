import type { Timing } from './timing.ts'
import type { TokenRequest } from './token-source.ts'

/** A cached token and the state of its refresh. */
export interface Entry<Token> extends Timing {
  readonly request: TokenRequest
  /** The previous token was invalidated: the next must be a new one. */
  mustRenew: boolean
  /** User of the latest attempt. */
  user?: string
  token?: Token | undefined
  lastError?: unknown
  pendingFetch?: Promise<Token> | undefined
  /** Aborts the pending fetch. */
  controller?: AbortController
}

export function createEntry<Token>(request: TokenRequest, mustRenew: boolean): Entry<Token> {
  return { request, mustRenew, expiresAt: 0, refreshAt: 0, failedAt: 0, pauseMs: 0, failures: 0 }
}

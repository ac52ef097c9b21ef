import { TokenCache } from './token-cache.ts'
import type { AccessToken, TokenRequest, TokenSource, TokenSourceOptions } from './token-source.ts'

export interface CustomFetchContext {
  /** Ends with the attempt: after 15 seconds, or when the source is disposed. */
  readonly signal: AbortSignal
  /** An earlier token was invalidated: one from a cache will not do. */
  readonly refresh: boolean
}

/** A source that fetches by a function of the app's. Only a `TokenError` that is transient is tried again while somebody waits. */
export function customTokenSource<Token extends AccessToken>(
  fetchToken: (request: TokenRequest, context: CustomFetchContext) => Promise<Token>,
  options: TokenSourceOptions<Token> = {},
): TokenSource<Token> {
  return new TokenCache(fetchToken, options)
}

/** A source of this one token: for tests, and for tokens that came another way. */
export function literalTokenSource<Token extends AccessToken>(token: Token): TokenSource<Token> {
  return {
    getToken: async () => token,
    invalidate() {},
    now: () => Date.now(),
    dispose() {},
    [Symbol.dispose]() {},
  }
}

import { TokenCache, type CustomFetchContext } from './token-cache.ts'
import type { AccessToken, TokenRequest, TokenSource, TokenSourceOptions } from './token-source.ts'

/**
 * Creates a source that caches and refreshes the tokens of the app's own function.
 *
 * @param fetchToken Fetches a token. Only a transient `TokenError` is retried while a caller waits.
 * @param options Listeners, clock and jitter.
 * @returns A source of these tokens. Dispose it to stop refreshing.
 * @example
 *   const tokens = customTokenSource(async (request, { signal }) => {
 *     const response = await fetch('/my-tokens', { method: 'POST', body: JSON.stringify(request), signal })
 *     return (await response.json()) as AccessToken
 *   })
 */
export function customTokenSource<Token extends AccessToken>(
  fetchToken: (request: TokenRequest, context: CustomFetchContext) => Promise<Token>,
  options: TokenSourceOptions<Token> = {},
): TokenSource<Token> {
  return new TokenCache(fetchToken, options)
}

/**
 * Creates a source that always returns the given token: for tests, and for a token that the app already has.
 *
 * @param token Token to return, even after it has expired.
 * @returns A source of this token.
 * @example
 *   const credential = tokenCredential(literalTokenSource({ token, expiresOn }))
 */
export function literalTokenSource<Token extends AccessToken>(token: Token): TokenSource<Token> {
  return {
    getToken: async () => token,
    invalidate() {},
    now: () => Date.now(),
    dispose() {},
    [Symbol.dispose]() {},
  }
}

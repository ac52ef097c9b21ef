import type { SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import type autocannon from 'autocannon'

/** Settings of a service that accepts the load. */
export const unlimited = { TOKENS_PER_MINUTE: '100000' }

interface TokenRequestOptions {
  readonly scopes?: readonly string[]
  readonly refresh?: boolean
}

/** Returns sign-in tokens of different users. */
export function createSignInTokens(issuer: SignInIssuer, users: number): Promise<string[]> {
  return Promise.all(Array.from({ length: users }, (_, user) => issuer.sign({ sub: `user-${user}` })))
}

/** One request for each user, as the load generator sends it. */
export function tokenRequests(signInTokens: readonly string[]): autocannon.Request[] {
  return signInTokens.map((signInToken) => ({ path: '/v1/token', ...toRequest(signInToken, {}) }))
}

/** Fetches a token for each user and returns the body of the last response. */
export async function fetchTokens(url: string, signInTokens: readonly string[]): Promise<string> {
  let last = ''
  for (const signInToken of signInTokens) last = await fetchToken(url, signInToken)
  return last
}

/** Returns the body of the response. Throws unless it is successful. */
export async function fetchToken(url: string, signInToken: string, options: TokenRequestOptions = {}): Promise<string> {
  const response = await fetch(`${url}/v1/token`, toRequest(signInToken, options))
  const text = await response.text()
  if (!response.ok) throw new Error(`the service responded to a token request with ${response.status}: ${text}`)
  return text
}

function toRequest(signInToken: string, { scopes = ['chat', 'voip'], refresh = false }: TokenRequestOptions) {
  return {
    method: 'POST',
    headers: { authorization: `Bearer ${signInToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ scopes, refresh }),
  } as const
}

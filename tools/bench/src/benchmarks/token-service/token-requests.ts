import type autocannon from 'autocannon'

export interface TokenRequestOptions {
  readonly scopes?: readonly string[]
  readonly refresh?: boolean
}

/** One request for each user, as the load generator sends it. */
export function tokenRequests(signInTokens: readonly string[]): autocannon.Request[] {
  return signInTokens.map((signInToken) => ({ path: '/v1/token', ...toRequest(signInToken, {}) }))
}

/** Fetches a token for each user and returns the body of the last response. */
export async function fetchTokens(address: string, signInTokens: readonly string[]): Promise<string> {
  let last = ''
  for (const signInToken of signInTokens) last = await fetchToken(address, signInToken)
  return last
}

/** Returns the body of the response. Throws unless it is successful. */
export async function fetchToken(
  address: string,
  signInToken: string,
  options: TokenRequestOptions = {},
): Promise<string> {
  const response = await fetch(`${address}/v1/token`, toRequest(signInToken, options))
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

import type autocannon from 'autocannon'

const scopes = ['chat', 'voip']

/** Each of these users asks for a token, again and again. */
export function tokenRequests(signInTokens: readonly string[]): autocannon.Request[] {
  return signInTokens.map((token) => ({
    method: 'POST',
    path: '/v1/token',
    headers: headersOf(token),
    body: JSON.stringify({ scopes }),
  }))
}

/** Lets each user have a token; returns the last answer's body. */
export async function fetchTokens(address: string, signInTokens: readonly string[]): Promise<string> {
  let last = ''
  for (const token of signInTokens) last = await requestToken(address, token)
  return last
}

/** Returns the answer's body. Throws unless it is a success. */
export async function requestToken(address: string, signInToken: string, { refresh = false } = {}): Promise<string> {
  const answer = await fetch(`${address}/v1/token`, {
    method: 'POST',
    headers: headersOf(signInToken),
    body: JSON.stringify({ scopes, refresh }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`a token was refused: ${text}`)
  return text
}

function headersOf(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
}

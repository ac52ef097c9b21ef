import type autocannon from 'autocannon'

const body = '{"scopes":["chat","voip"]}'

/** Each of these users asks for a token, again and again. */
export function tokenRequests(signInTokens: readonly string[]): autocannon.Request[] {
  return signInTokens.map((token) => ({ method: 'POST', path: '/v1/token', headers: headersOf(token), body }))
}

/** Lets each user have a first token; returns the last answer's body. Throws unless all were successes. */
export async function fetchTokens(address: string, signInTokens: readonly string[]): Promise<string> {
  let last = ''
  for (const token of signInTokens) {
    const answer = await fetch(`${address}/v1/token`, { method: 'POST', headers: headersOf(token), body })
    last = await answer.text()
    if (!answer.ok) throw new Error(`a token was refused: ${last}`)
  }
  return last
}

function headersOf(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
}

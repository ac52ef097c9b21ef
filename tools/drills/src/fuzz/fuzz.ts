import { parseJson } from '@acs-kit/service-settings'
import type { HttpClient, HttpRequest, HttpResponse } from '@acs-kit/test-support/http-client'
import * as fc from 'fast-check'

export interface FuzzOptions {
  readonly requests: number
  readonly seed: number
}

/**
 * Sends generated requests one after the other. Throws with the first one whose response has a flaw, which `findFlaw` describes,
 * and with the seed that generates it again. Returns how often each response occurred.
 */
export async function fuzz<Generated>(
  arbitrary: fc.Arbitrary<Generated>,
  { requests, seed }: FuzzOptions,
  client: HttpClient,
  toRequest: (generated: Generated) => HttpRequest,
  findFlaw: (response: HttpResponse, request: HttpRequest, generated: Generated) => string | undefined,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(arbitrary, async (generated) => {
      const request = toRequest(generated)
      const response = await client.send(request)
      const name = nameResponse(response)
      counts.set(name, (counts.get(name) ?? 0) + 1)
      const flaw = findFlaw(response, request, generated)
      if (flaw !== undefined) throw new Error(`${flaw}: ${formatExchange(request, response)}`)
    }),
    { numRuns: requests, seed, endOnFailure: true },
  )
  return counts
}

/** Error in the form of the identity routes, of chat or of the token service. */
interface ErrorBody {
  readonly code?: unknown
  readonly error?: { readonly code?: unknown }
  readonly CommunicationError?: { readonly Code?: unknown }
}

/** Returns the status of a response and its error code, if it has one. */
export function nameResponse({ status, text }: HttpResponse): string {
  const body = parseJson(text) as ErrorBody | null | undefined
  const code = body?.error?.code ?? body?.CommunicationError?.Code ?? body?.code
  return typeof code === 'string' ? `${status} ${code}` : String(status)
}

function formatExchange({ method, path, headers, body }: HttpRequest, response: HttpResponse): string {
  const { authorization: _, 'x-skypetoken': _token, ...shown } = { ...headers }
  const sent = Buffer.from(body ?? '')
    .toString('latin1')
    .slice(0, 500)
  const received = `${response.status} ${JSON.stringify(response.headers)} ${response.text.slice(0, 500)}`
  return `${method} ${path} ${JSON.stringify(shown)} ${JSON.stringify(sent)}\n${received}`
}

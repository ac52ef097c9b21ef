import { getHeader, type RawResponse } from '../raw-request.ts'
import { isGuid } from './body.ts'
import { modelError } from './errors.ts'
import type { Call } from './identity-operations.ts'

const capacity = 1000

export type RepeatableRequests = ReturnType<typeof createRepeatableRequests>

// guess(repeatability): the description names the headers; their effect is that of the OASIS specification "Repeatable Requests".
// Only the last thousand responses are kept, in memory.
/** Returns the first response again for requests with the same `Repeatability-Request-ID`. */
export function createRepeatableRequests() {
  const responses = new Map<string, Promise<RawResponse>>()

  /** Throws the service's error for malformed headers, and the errors of `respond`, after which the request may be repeated. */
  async function respondOnce({ request, resource }: Call, respond: () => Promise<RawResponse>): Promise<RawResponse> {
    const id = getHeader(request.headers, 'repeatability-request-id')
    if (id === undefined) return respond()
    const firstSent = getHeader(request.headers, 'repeatability-first-sent') ?? ''
    if (!isGuid(id)) throw malformed('Repeatability-Request-ID')
    if (Number.isNaN(Date.parse(firstSent))) throw malformed('Repeatability-First-Sent')
    const key = `${resource.immutableId} ${id.toLowerCase()}`
    let response = responses.get(key)
    if (!response) {
      response = respond()
      responses.set(key, response)
      response.catch(() => responses.delete(key))
      for (const oldest of responses.keys()) if (responses.size > capacity) responses.delete(oldest)
    }
    return { ...(await response), headers: { 'Repeatability-Result': 'accepted' } }
  }

  return { respondOnce, clear: () => responses.clear() }
}

function malformed(name: string): Error {
  return modelError(`${name}: The header is missing or invalid.`, name)
}

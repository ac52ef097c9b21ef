import { getHeader, type RawResponse } from '../raw-request.ts'
import { isGuid } from './body.ts'
import { modelError } from './errors.ts'
import { parseHttpDate } from './hmac.ts'
import type { Call } from './identity-operations.ts'

const capacity = 1000

export type RepeatableRequests = ReturnType<typeof createRepeatableRequests>

// guess(repeatability): the description names the headers; their effect is that of the OASIS specification "Repeatable Requests".
// Only the last thousand responses are kept, in memory.
/** Repeats the first response to requests with the same `Repeatability-Request-ID`. */
export function createRepeatableRequests() {
  const responses = new Map<string, Promise<RawResponse>>()

  /** Throws the service's error for malformed headers, and the errors of `respond`, after which the request may be repeated. */
  async function respondOnce({ request, resource }: Call, respond: () => Promise<RawResponse>): Promise<RawResponse> {
    const id = getHeader(request.headers, 'repeatability-request-id')
    if (id === undefined) return respond()
    const firstSent = getHeader(request.headers, 'repeatability-first-sent') ?? ''
    if (!isGuid(id)) throw malformed('Repeatability-Request-ID')
    if (Number.isNaN(parseHttpDate(firstSent))) throw malformed('Repeatability-First-Sent')
    const key = `${resource.immutableId} ${id.toLowerCase()}`
    const response = responses.get(key) ?? respond()
    responses.set(key, response)
    if (responses.size > capacity) responses.delete(responses.keys().next().value!)
    try {
      return { ...(await response), headers: { 'Repeatability-Result': 'accepted' } }
    } catch (error) {
      if (responses.get(key) === response) responses.delete(key)
      throw error
    }
  }

  return { respondOnce, clear: () => responses.clear() }
}

function malformed(name: string): Error {
  return modelError(`${name}: The header is missing or invalid.`, name)
}

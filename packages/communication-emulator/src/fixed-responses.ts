import { errorResponse } from './error-response.ts'
import type { Fault } from './fault.ts'
import type { RawResponse } from './raw-request.ts'

// differs(foreign-host): prevents a page from reaching the emulator under its own name that resolves to this machine.
export const misdirectedResponse = errorResponse(
  421,
  'MisdirectedRequest',
  'The Host header names another host: use localhost, an IP address, or a name given as --hostname or --host.',
)

// guess(body-limit)
export function toTooLargeResponse(toResponse: typeof errorResponse): RawResponse {
  const message = 'The request body is too large and exceeds the maximum permissible limit.'
  return toResponse(413, 'RequestBodyTooLarge', message, { Connection: 'close' })
}

export function toFailedResponse(toResponse: typeof errorResponse): RawResponse {
  return toResponse(500, 'InternalServerError', 'Internal error of the emulator: see its log.')
}

/** Returns the response that a fault sends, in the envelope of `toResponse`; undefined if it closes the connection. */
export function toFaultResponse(
  { reset, status, retryAfterSeconds }: Fault,
  toResponse: typeof errorResponse,
): RawResponse | undefined {
  if (reset || status === undefined) return undefined
  const headers = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }
  if (status < 400) return { status, headers }
  return toResponse(status, 'InjectedFault', 'Fault injected by the emulator at the request of a test.', headers)
}

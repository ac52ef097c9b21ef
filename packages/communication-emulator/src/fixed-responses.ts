import type { Fault } from './fault.ts'
import type { RawResponse } from './raw-request.ts'

// differs(foreign-host): prevents a page from reaching the emulator under its own name that resolves to this machine.
export const misdirectedResponse: RawResponse = {
  status: 421,
  body: {
    error: {
      code: 'MisdirectedRequest',
      message: 'The Host header names another host: use localhost, an IP address, or the address given as --host.',
    },
  },
}

// guess(body-limit)
export const tooLargeResponse: RawResponse = {
  status: 413,
  headers: { Connection: 'close' },
  body: {
    error: {
      code: 'RequestBodyTooLarge',
      message: 'The request body is too large and exceeds the maximum permissible limit.',
    },
  },
}

export const failedResponse: RawResponse = {
  status: 500,
  body: { error: { code: 'InternalServerError', message: 'Internal error of the emulator: see its log.' } },
}

/** Returns the response that a fault sends; undefined if it closes the connection. */
export function toFaultResponse({ reset, status, retryAfterSeconds }: Fault): RawResponse | undefined {
  if (reset || status === undefined) return undefined
  return {
    status,
    ...(retryAfterSeconds !== undefined && { headers: { 'Retry-After': String(retryAfterSeconds) } }),
    ...(status >= 400 && {
      body: { error: { code: 'InjectedFault', message: 'Fault injected by the emulator at the request of a test.' } },
    }),
  }
}

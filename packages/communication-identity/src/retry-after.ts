// token-client has a copy, since neither package may import the other. One table of cases tests both.

/**
 * Returns the seconds to wait according to a `Retry-After` header, a number or an HTTP date: at most an hour, and undefined
 * if the header is missing or invalid or asks for no wait. `now` is the time of the response, in milliseconds since 1970.
 */
export function retryAfterSeconds(header: string | null | undefined, now: number): number | undefined {
  const text = header ?? ''
  const seconds = /^\d+$/.test(text) ? Number(text) : text.endsWith('GMT') ? (Date.parse(text) - now) / 1000 : 0
  return seconds > 0 ? Math.min(Math.ceil(seconds), 3600) : undefined
}

// token-client has a copy, since neither package may import the other. One table of cases tests both.

/**
 * Reads a `Retry-After` header, a number of seconds or an HTTP date.
 *
 * @param header Value of the header.
 * @param now Time of the response, in milliseconds since 1970.
 * @returns Seconds to wait, at most 3600, or undefined if the header is missing, invalid or not in the future.
 * @example
 * retryAfterSeconds(response.headers.get('Retry-After'), Date.now())
 */
export function retryAfterSeconds(header: string | null | undefined, now: number): number | undefined {
  const text = header ?? ''
  const seconds = /^\d+$/.test(text) ? Number(text) : text.endsWith('GMT') ? (Date.parse(text) - now) / 1000 : 0
  return seconds > 0 ? Math.min(Math.ceil(seconds), 3600) : undefined
}

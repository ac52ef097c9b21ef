/** Time of the responses with these headers, in milliseconds since 1970. */
export const responseTime = Date.UTC(2026, 0, 5, 8)

/**
 * `Retry-After` headers and the seconds to wait. token-client and communication-identity must not import each other: each has
 * its own implementation, and this table keeps them equal.
 */
export const retryAfterCases: readonly [header: string | undefined, seconds: number | undefined][] = [
  ['120', 120],
  ['007', 7],
  ['Mon, 05 Jan 2026 08:02:00 GMT', 120],
  ['Monday, 05-Jan-26 08:02:00 GMT', 120],
  ['3601', 3600],
  ['99999999999999999999999999999', 3600],
  ['Fri, 31 Dec 9999 23:59:59 GMT', 3600],
  [undefined, undefined],
  ['', undefined],
  ['0', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['0x10', undefined],
  ['1e3', undefined],
  ['Infinity', undefined],
  ['120, 120', undefined],
  ['soon', undefined],
  ['soon GMT', undefined],
  ['2026-01-05T08:02:00Z', undefined],
  ['Mon, 05 Jan 2026 08:02:00', undefined],
  ['Mon, 05 Jan 2026 08:00:00 GMT', undefined],
  ['Mon, 05 Jan 2026 07:00:00 GMT', undefined],
]

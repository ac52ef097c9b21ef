import { responseTime, retryAfterCases } from '@acs-kit/test-support/retry-after-cases'
import { expect, it } from 'vitest'
import { toFailure } from '../src/errors.ts'

it.each(retryAfterCases)('reads Retry-After: %s as %s seconds', (header, seconds) => {
  const headers = new Map([['date', new Date(responseTime).toUTCString()]])
  if (header !== undefined) headers.set('retry-after', header)
  const { retryAfterMs } = toFailure({ statusCode: 429, response: { headers } })
  expect(retryAfterMs).toBe(seconds && seconds * 1000)
})

it('compares a date in Retry-After with the local clock if the response has no Date', () => {
  const headers = new Map([['retry-after', new Date(Date.now() + 120_000).toUTCString()]])
  const { retryAfterMs = 0 } = toFailure({ statusCode: 429, response: { headers } })
  expect(retryAfterMs).toBeGreaterThan(60_000)
  expect(retryAfterMs).toBeLessThanOrEqual(120_000)
})

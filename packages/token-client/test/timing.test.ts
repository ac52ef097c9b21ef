import { describe, expect, it } from 'vitest'
import { getPause, getRefreshTime, getRetryPause, getTimeUntilDue } from '../src/timing.ts'
import { TokenError } from '../src/token-error.ts'

const second = 1000
const minute = 60 * second
const timing = { expiresAt: 0, refreshAt: 100, failedAt: 1000, pauseMs: 50, failures: 1 }

describe('getRefreshTime', () => {
  it.each([
    [24 * 60, 0, 15],
    [24 * 60, 1, 19.5],
    [20, 0, 8],
    [20, 1, 12],
  ])('refreshes a token of %d minutes, with jitter %d, %d minutes ahead', (lifetime, jitter, ahead) => {
    expect(getRefreshTime(lifetime * minute, 0, () => jitter)).toBeCloseTo((lifetime - ahead) * minute)
  })
})

describe('getRetryPause', () => {
  const requesting = (retryAfter: number) => new TokenError('rate-limited', '', { retryAfter })

  it.each([
    [0, undefined, 1],
    [3, undefined, 8],
    [9, undefined, 20],
    [0, requesting(30), 30],
    [0, requesting(3600), 300],
  ])('pauses after %d failures and %s for %d seconds', (failures, error, seconds) => {
    expect(getRetryPause(failures, error, () => 1)).toBe(seconds * second)
  })

  it('halves the pause at most by jitter', () => {
    expect(getRetryPause(0, undefined, () => 0)).toBe(500)
  })
})

it.each([
  [1020, 30],
  [1060, -10],
  [0, 50],
])('leaves at %d a pause of %d, never more than the whole', (now, remaining) => {
  expect(getPause(timing, now)).toBe(remaining)
})

it.each([
  [80, { pauseMs: 0 }, 20],
  [1010, {}, 40],
  [2000, {}, 0],
])('is due at %d, with %o, in %d', (now, changes, due) => {
  expect(getTimeUntilDue({ ...timing, ...changes }, now)).toBe(due)
})

import type { TokenError } from './token-error.ts'

// Timing rules: when a token is fresh or due for refresh, and when a failed attempt is repeated.

/** Times of a request's token, by the service's clock, and the state of its retries. */
export interface Timing {
  /** Expiry of the token and start of its refresh. */
  expiresAt: number
  refreshAt: number
  /** Time of the last failed attempt, and the pause after it. */
  failedAt: number
  pauseMs: number
  /** Failed attempts in a row. */
  failures: number
}

/** Longer than the slowest response of the service. */
export const attemptTimeoutMs = 15_000
/** Maximum wait for the start of the last attempt, across retries, when there is no token. */
export const maxWaitMs = 30_000
/** The service returns no cached token with less than 20 minutes left, so it has a new one by then. */
const refreshAheadMs = 15 * 60_000
const maxJitterMs = 4.5 * 60_000
/** Timers stop while the machine sleeps, so the clock is checked at least this often. */
export const maxCheckDelayMs = 30_000
const firstPauseMs = 1000
/** Shorter than `maxWaitMs`, so that only a pause requested by the service can end the wait at once. */
const maxPauseMs = 20_000
const maxRequestedPauseMs = 5 * 60_000

/** Returns when to refresh a token: with jitter, and a short-lived one after about half its lifetime. */
export function getRefreshTime(expiresAt: number, now: number, random: () => number = Math.random): number {
  const lifetimeMs = expiresAt - now
  return expiresAt - Math.min(refreshAheadMs + maxJitterMs * random(), lifetimeMs * (0.4 + 0.2 * random()))
}

/** Returns the pause after a failed attempt: exponential backoff, or longer if the service requests it. */
export function getRetryPause(
  failures: number,
  error: TokenError | undefined,
  random: () => number = Math.random,
): number {
  const backoffMs = Math.min(firstPauseMs * 2 ** failures, maxPauseMs) * (0.5 + 0.5 * random())
  return Math.max(backoffMs, Math.min((error?.retryAfter ?? 0) * 1000, maxRequestedPauseMs))
}

/** Returns the rest of the pause, which never exceeds the pause itself, even if the clock was set back. */
export function getPause({ failedAt, pauseMs }: Timing, now: number): number {
  return Math.min(failedAt + pauseMs - now, pauseMs)
}

/** Returns the time until the next refresh, 0 if it is due. */
export function getTimeUntilDue(timing: Timing, now: number): number {
  return Math.max(0, timing.refreshAt - now, getPause(timing, now))
}

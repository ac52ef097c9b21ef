import { setTimeout as sleep } from 'node:timers/promises'
import { CommunicationIdentityError, toFailure } from './errors.ts'

export interface CallOptions {
  /** Ends the call early: it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds for the whole call, retries and waits included. */
  readonly deadlineMs?: number | undefined
}

const firstBackoffMs = 200
/** What an attempt needs at least; with less left, the failure that was seen says more than a missed deadline. */
const shortestAttemptMs = 200

/**
 * Performs a call until it succeeds, fails for good, or would outlast its deadline. The delay that the service asks for
 * is kept; otherwise it doubles, with jitter. What may have had an effect is repeated only when that does no harm.
 *
 * The SDKs' own retries are switched off for this: they know no deadline, and repeat creations whose answer was lost.
 */
export async function callWithRetries<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  {
    signal,
    deadlineMs,
    isRepeatable,
    beforeAttempt,
  }: {
    signal?: AbortSignal | undefined
    deadlineMs: number
    isRepeatable: boolean
    beforeAttempt?: (() => void) | undefined
  },
): Promise<Result> {
  signal?.throwIfAborted()
  const endsAt = performance.now() + deadlineMs
  const timeout = AbortSignal.timeout(deadlineMs)
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout
  for (let attempt = 0; ; attempt++) {
    beforeAttempt?.()
    try {
      return await work(either)
    } catch (error) {
      signal?.throwIfAborted()
      if (timeout.aborted) {
        throw new CommunicationIdentityError('unavailable', `the service gave no answer within ${deadlineMs} ms`, {
          cause: error,
        })
      }
      const failure = toFailure(error)
      const isTransient = failure.code === 'throttled' || failure.code === 'unavailable'
      const delay = failure.retryAfterMs ?? firstBackoffMs * 2 ** attempt * (0.5 + Math.random() / 2)
      const isInTime = performance.now() + delay + shortestAttemptMs < endsAt
      if (!isTransient || !isInTime || !(isRepeatable || failure.hadNoEffect)) throw failure
      await sleep(delay, undefined, { signal: either }).catch(() => signal?.throwIfAborted())
    }
  }
}

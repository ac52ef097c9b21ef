import { setTimeout as sleep } from 'node:timers/promises'
import { CommunicationIdentityError, toFailure } from './errors.ts'

export interface CallOptions {
  /** Aborts the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Maximum duration of the call, retries and waits included. */
  readonly deadlineMs?: number | undefined
}

interface RetryOptions extends CallOptions {
  /** Whether a call may be repeated when its attempt may have had an effect. */
  readonly isRepeatable: boolean
  readonly beforeAttempt: () => void
}

const defaultDeadlineMs = 10_000
const minBackoffMs = 200
/** Minimum time for an attempt. With less time left, the last failure is more useful than a missed deadline. */
const minAttemptMs = 200

/**
 * Makes a call, and retries transient failures until the deadline: after `Retry-After`, otherwise with exponential backoff
 * and jitter. A call that is not repeatable is retried only when the failed attempt certainly had no effect.
 *
 * This replaces the SDKs' own retries, which have no deadline and repeat creations whose response was lost.
 */
export async function callWithRetries<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { signal, deadlineMs = defaultDeadlineMs, isRepeatable, beforeAttempt }: RetryOptions,
): Promise<Result> {
  signal?.throwIfAborted()
  const endsAt = performance.now() + deadlineMs
  const timeout = AbortSignal.timeout(deadlineMs)
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout
  for (let attempt = 0; ; attempt++) {
    beforeAttempt()
    try {
      return await work(either)
    } catch (error) {
      signal?.throwIfAborted()
      if (timeout.aborted) {
        throw new CommunicationIdentityError('unavailable', `no response from the service within ${deadlineMs} ms`, {
          cause: error,
        })
      }
      const failure = toFailure(error)
      const isTransient = failure.code === 'throttled' || failure.code === 'unavailable'
      const delay = failure.retryAfterMs ?? minBackoffMs * 2 ** attempt * (0.5 + Math.random() / 2)
      const isInTime = performance.now() + delay + minAttemptMs < endsAt
      if (!isTransient || !isInTime || !(isRepeatable || failure.hadNoEffect)) throw failure
      await sleep(delay, undefined, { signal: either }).catch(() => signal?.throwIfAborted())
    }
  }
}

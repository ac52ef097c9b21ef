import {
  BrokenCircuitError,
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  wrap,
} from 'cockatiel'
import { ProblemError } from './problems/problem-error.ts'

const maxConsecutiveFailures = 5
const retryJitterMs = 5000

interface UpstreamGuardOptions {
  /** Name in messages. */
  readonly name: string
  /** Problem of requests that the guard rejects. */
  readonly code: 'communication-unavailable' | 'store-unavailable'
  /** Whether an error shows that the upstream is failing. */
  readonly isFailure: (error: unknown) => boolean
  readonly maxConcurrent: number
  /** Pause of a failing upstream before the next attempt. */
  readonly openForMs: number
  readonly random: () => number
}

/** Circuit breaker and bulkhead of an upstream. Rejects immediately instead of queueing, which would only add load. */
export function createUpstreamGuard(options: UpstreamGuardOptions) {
  const { name, code, isFailure, maxConcurrent, openForMs, random } = options
  const breaker = circuitBreaker(handleWhen(isFailure), {
    breaker: new ConsecutiveBreaker(maxConsecutiveFailures),
    halfOpenAfter: openForMs,
  })
  const policy = wrap(bulkhead(maxConcurrent), breaker)

  /** Rejects with a `ProblemError` while the circuit is open or too many requests are in flight, else with the work's error. */
  async function execute<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await policy.execute(work)
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw unavailable(`Repeated failures of ${name} (circuit open).`)
      if (error instanceof BulkheadRejectedError) throw unavailable(`Too many concurrent requests to ${name}.`)
      throw error
    }
  }

  function unavailable(detail?: string, cause?: unknown): ProblemError {
    return new ProblemError(code, detail, { retryAfterMs: jitter(openForMs), cause })
  }

  /** Adds a random delay, so that clients rejected together do not retry together. */
  function jitter(retryAfterMs: number): number {
    return retryAfterMs + random() * retryJitterMs
  }

  return { isCircuitOpen: () => breaker.state === CircuitState.Open, execute, unavailable, jitter }
}

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

export interface UpstreamGuardOptions {
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
export class UpstreamGuard {
  readonly #options: UpstreamGuardOptions
  readonly #breaker
  readonly #policy

  constructor(options: UpstreamGuardOptions) {
    const { isFailure, maxConcurrent, openForMs } = options
    this.#options = options
    this.#breaker = circuitBreaker(handleWhen(isFailure), {
      breaker: new ConsecutiveBreaker(maxConsecutiveFailures),
      halfOpenAfter: openForMs,
    })
    this.#policy = wrap(bulkhead(maxConcurrent), this.#breaker)
  }

  get isCircuitOpen(): boolean {
    return this.#breaker.state === CircuitState.Open
  }

  /** Rejects with a `ProblemError` while the circuit is open or too many requests are in flight, else with the work's error. */
  async execute<Result>(work: () => Promise<Result>): Promise<Result> {
    const { name } = this.#options
    try {
      return await this.#policy.execute(work)
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw this.unavailable(`Repeated failures of ${name} (circuit open).`)
      if (error instanceof BulkheadRejectedError) throw this.unavailable(`Too many concurrent requests to ${name}.`)
      throw error
    }
  }

  unavailable(detail?: string, cause?: unknown): ProblemError {
    const retryAfterMs = this.jitter(this.#options.openForMs)
    return new ProblemError(this.#options.code, detail, { retryAfterMs, ...(cause !== undefined && { cause }) })
  }

  /** Adds a random delay, so that clients rejected together do not retry together. */
  jitter(retryAfterMs: number): number {
    return retryAfterMs + this.#options.random() * retryJitterMs
  }
}

import { RestError, type TableClient } from '@azure/data-tables'
import {
  BrokenCircuitError,
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  ConsecutiveBreaker,
  handleWhen,
  wrap,
} from 'cockatiel'
import { ProblemError, spread } from '../problem-error.ts'

const pointDeadlineMs = 2000
/** More operations at once are refused, not queued. */
const maxConcurrent = 500
const failuresThatOpen = 5
const openForMs = 1000

interface Expected {
  readonly status: number | readonly number[]
  /** Default two seconds. */
  readonly deadlineMs?: number
}

/** One table of Azure Table Storage. Rejects with `store-unavailable` when it gives no answer in time. */
export class Table {
  readonly #client: TableClient
  readonly #breaker = circuitBreaker(
    handleWhen((error) => !(error instanceof RestError) || error.statusCode === undefined || error.statusCode >= 500),
    { breaker: new ConsecutiveBreaker(failuresThatOpen), halfOpenAfter: openForMs },
  )
  readonly #guard = wrap(bulkhead(maxConcurrent), this.#breaker)

  constructor(client: TableClient) {
    this.#client = client
  }

  /** Returns the result of the work, or undefined when the store itself rejects it with an expected status. */
  async run<Result>(
    work: (client: TableClient, abortSignal: AbortSignal) => Promise<Result>,
    expected: Expected,
  ): Promise<Result | undefined>
  async run<Result>(work: (client: TableClient, abortSignal: AbortSignal) => Promise<Result>): Promise<Result>
  async run<Result>(
    work: (client: TableClient, abortSignal: AbortSignal) => Promise<Result>,
    expected?: Expected,
  ): Promise<Result | undefined> {
    try {
      return await this.#guard.execute(() => this.#attempt(work, expected?.deadlineMs ?? pointDeadlineMs))
    } catch (error) {
      if (expected !== undefined && isRejection(error, [expected.status].flat())) return undefined
      if (error instanceof BrokenCircuitError) {
        throw new ProblemError('store-unavailable', 'It has failed repeatedly.', { retryAfterMs: spread(openForMs) })
      }
      if (error instanceof BulkheadRejectedError) {
        throw new ProblemError('store-unavailable', 'Too much waits for it already.', {
          retryAfterMs: spread(openForMs),
        })
      }
      throw new ProblemError('store-unavailable', undefined, { cause: error, retryAfterMs: spread(openForMs) })
    }
  }

  async #attempt<Result>(
    work: (client: TableClient, abortSignal: AbortSignal) => Promise<Result>,
    deadlineMs: number,
  ): Promise<Result> {
    const signal = AbortSignal.timeout(deadlineMs)
    try {
      return await work(this.#client, signal)
    } catch (error) {
      if (codeFor(error) !== 'TableNotFound') throw error
      await this.#client.createTable({ abortSignal: signal })
      return work(this.#client, signal)
    }
  }
}

/**
 * Whether the row was rejected with this status. A lost connection has no status and a proxy's error page no code; of codes
 * such as `TableBeingDeleted`, the row was not even looked at. None of them tells whether the operation took effect.
 */
function isRejection(error: unknown, statuses: readonly number[]): boolean {
  const code = codeFor(error)
  return code !== undefined && !code.startsWith('Table') && statuses.includes((error as RestError).statusCode!)
}

function codeFor(error: unknown): string | undefined {
  const details = error instanceof RestError ? (error.details as { odataError?: { code?: string } }) : undefined
  return details?.odataError?.code
}

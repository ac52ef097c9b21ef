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
/** Deadline of a scan: Azure may work on one for five seconds before it returns a page. */
export const scanDeadlineMs = 10_000

// Codes of Azure Table Storage and of Cosmos DB for Table by which a row itself rejects an operation.
export const rowExists = ['EntityAlreadyExists']
export const rowMissing = ['ResourceNotFound', 'EntityNotFound']
export const rowChanged = ['UpdateConditionNotSatisfied', 'ConditionNotMet', 'PreconditionFailed']
/** More operations at once are refused, not queued. */
const maxConcurrent = 500
const failuresThatOpen = 5
const openForMs = 1000

type Work<Result> = (client: TableClient, abortSignal: AbortSignal) => Promise<Result>

interface RunOptions {
  /** Codes with which the store may reject the work: then the result is undefined. */
  readonly expected?: readonly string[]
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

  /** Returns the result of the work, or undefined when the store rejects it with an expected code. */
  async run<Result>(
    work: Work<Result>,
    options: RunOptions & { expected: readonly string[] },
  ): Promise<Result | undefined>
  async run<Result>(work: Work<Result>, options?: { deadlineMs?: number }): Promise<Result>
  async run<Result>(
    work: Work<Result>,
    { expected = [], deadlineMs = pointDeadlineMs }: RunOptions = {},
  ): Promise<Result | undefined> {
    try {
      return await this.#guard.execute(() => this.#attempt(work, deadlineMs))
    } catch (error) {
      // Anything else, such as a lost connection or a proxy's error page, does not tell whether the work took effect.
      if (expected.includes(codeFor(error) ?? '')) return undefined
      if (error instanceof BrokenCircuitError) {
        throw new ProblemError('store-unavailable', 'The store has failed repeatedly.', {
          retryAfterMs: spread(openForMs),
        })
      }
      if (error instanceof BulkheadRejectedError) {
        throw new ProblemError('store-unavailable', 'Too many concurrent store operations.', {
          retryAfterMs: spread(openForMs),
        })
      }
      throw new ProblemError('store-unavailable', undefined, { cause: error, retryAfterMs: spread(openForMs) })
    }
  }

  async #attempt<Result>(work: Work<Result>, deadlineMs: number): Promise<Result> {
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

function codeFor(error: unknown): string | undefined {
  const details = error instanceof RestError ? (error.details as { odataError?: { code?: string } }) : undefined
  return details?.odataError?.code
}

import { RestError, type TableClient } from '@azure/data-tables'
import { BrokenCircuitError, circuitBreaker, ConsecutiveBreaker, handleWhen } from 'cockatiel'
import { ProblemError } from '../problem-error.ts'

const deadlineMs = 2000
const failuresThatOpen = 5
const openForMs = 1000

/** One table of Azure Table Storage. Rejects with `store-unavailable` when it gives no answer in time. */
export class Table {
  readonly #client: TableClient
  readonly #breaker = circuitBreaker(
    handleWhen((error) => !(error instanceof RestError) || error.statusCode === undefined || error.statusCode >= 500),
    { breaker: new ConsecutiveBreaker(failuresThatOpen), halfOpenAfter: openForMs },
  )

  constructor(client: TableClient) {
    this.#client = client
  }

  /** What the work returns, or undefined when the store refuses with this status. */
  async run<Result>(
    work: (client: TableClient, abortSignal: AbortSignal) => Promise<Result>,
    expected: { readonly status: number },
  ): Promise<Result | undefined>
  async run<Result>(work: (client: TableClient, abortSignal: AbortSignal) => Promise<Result>): Promise<Result>
  async run<Result>(
    work: (client: TableClient, abortSignal: AbortSignal) => Promise<Result>,
    expected?: { readonly status: number },
  ): Promise<Result | undefined> {
    try {
      return await this.#breaker.execute(() => this.#attempt(work))
    } catch (error) {
      if (error instanceof RestError && error.statusCode === expected?.status) return undefined
      if (error instanceof BrokenCircuitError) {
        throw new ProblemError('store-unavailable', 'It has failed repeatedly.', { retryAfterMs: openForMs })
      }
      throw new ProblemError('store-unavailable', undefined, { cause: error, retryAfterMs: openForMs })
    }
  }

  async #attempt<Result>(work: (client: TableClient, abortSignal: AbortSignal) => Promise<Result>): Promise<Result> {
    const signal = AbortSignal.timeout(deadlineMs)
    try {
      return await work(this.#client, signal)
    } catch (error) {
      if (!isTableMissing(error)) throw error
      await this.#client.createTable({ abortSignal: signal })
      return work(this.#client, signal)
    }
  }
}

function isTableMissing(error: unknown): boolean {
  const details = error instanceof RestError ? (error.details as { odataError?: { code?: string } }) : undefined
  return details?.odataError?.code === 'TableNotFound'
}

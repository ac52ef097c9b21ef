import { RestError, type TableClient } from '@azure/data-tables'
import { ProblemError } from '../problems/problem-error.ts'
import { UpstreamGuard } from '../upstream-guard.ts'

const pointDeadlineMs = 2000
/** Deadline of a scan: Azure may work for five seconds before it returns a page. */
export const scanDeadlineMs = 10_000

// Codes with which Azure Table Storage and Cosmos DB for Table reject an operation because of the row's state.
export const rowExists = ['EntityAlreadyExists']
export const rowMissing = ['ResourceNotFound', 'EntityNotFound']
export const rowChanged = ['UpdateConditionNotSatisfied', 'ConditionNotMet', 'PreconditionFailed']

const maxConcurrent = 500
const openForMs = 1000

type Work<Result> = (client: TableClient, abortSignal: AbortSignal) => Promise<Result>

interface RunOptions {
  /** Codes that make the result undefined instead of an error. */
  readonly expected?: readonly string[]
  /** Default: 2000. */
  readonly deadlineMs?: number
}

/** One table of Azure Table Storage. Rejects with `store-unavailable` when the outcome of an operation is unknown. */
export class Table {
  readonly #client: TableClient
  readonly #guard: UpstreamGuard

  constructor(client: TableClient, random: () => number) {
    this.#client = client
    this.#guard = new UpstreamGuard({
      name: 'the identity store',
      code: 'store-unavailable',
      isFailure: (error) => !(error instanceof RestError && error.statusCode !== undefined && error.statusCode < 500),
      maxConcurrent,
      openForMs,
      random,
    })
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
      // Other errors, such as a lost connection or a proxy's error page, leave open whether the work took effect.
      if (expected.includes(getErrorCode(error) ?? '')) return undefined
      throw error instanceof ProblemError ? error : this.#guard.unavailable(undefined, error)
    }
  }

  async #attempt<Result>(work: Work<Result>, deadlineMs: number): Promise<Result> {
    const signal = AbortSignal.timeout(deadlineMs)
    try {
      return await work(this.#client, signal)
    } catch (error) {
      if (getErrorCode(error) !== 'TableNotFound') throw error
      await this.#client.createTable({ abortSignal: signal })
      return work(this.#client, signal)
    }
  }
}

function getErrorCode(error: unknown): string | undefined {
  const details = error instanceof RestError ? (error.details as { odataError?: { code?: string } }) : undefined
  return details?.odataError?.code
}

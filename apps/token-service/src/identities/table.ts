import { RestError, type TableClient } from '@azure/data-tables'
import { ProblemError } from '../problems/problem-error.ts'
import { runStep } from '../steps.ts'
import { createUpstreamGuard } from '../upstream-guard.ts'

const pointDeadlineMs = 2000
/** Deadline of a scan: Azure may work for five seconds before it returns a page. */
export const scanDeadlineMs = 10_000

// Codes with which Azure Table Storage and Cosmos DB for Table reject an operation because of the row's state.
export const rowExists = ['EntityAlreadyExists']
export const rowMissing = ['ResourceNotFound', 'EntityNotFound']
export const rowStale = [...rowMissing, 'UpdateConditionNotSatisfied', 'ConditionNotMet', 'PreconditionFailed']

const maxConcurrent = 500
const openForMs = 1000

type Operation<Result> = (client: TableClient, abortSignal: AbortSignal) => Promise<Result>

export type Table = ReturnType<typeof createTable>

/** One table of Azure Table Storage. Rejects with `store-unavailable` when the outcome of an operation is unknown. */
export function createTable(client: TableClient, random: () => number) {
  const guard = createUpstreamGuard({
    name: 'the identity store',
    code: 'store-unavailable',
    isFailure: (error) => !(error instanceof RestError && error.statusCode !== undefined && error.statusCode < 500),
    maxConcurrent,
    openForMs,
    random,
  })

  /** Runs an operation. Its name is shown in traces. */
  function run<Result>(name: string, operation: Operation<Result>, deadlineMs?: number): Promise<Result> {
    return runStep({ name, peer: 'identity store' }, () => send(operation, deadlineMs))
  }

  /** Runs an operation. Returns undefined if the store rejects it with one of the codes. */
  function runUnless<Result>(
    name: string,
    codes: readonly string[],
    operation: Operation<Result>,
    deadlineMs?: number,
  ): Promise<Result | undefined> {
    return runStep({ name, peer: 'identity store' }, async () => {
      try {
        return await send(operation, deadlineMs)
      } catch (error) {
        // Other errors, such as a lost connection or a proxy's error page, leave open whether the operation took effect.
        if (codes.includes(getErrorCode((error as ProblemError).cause) ?? '')) return undefined
        throw error
      }
    })
  }

  async function send<Result>(operation: Operation<Result>, deadlineMs = pointDeadlineMs): Promise<Result> {
    try {
      return await guard.execute(() => attempt(operation, deadlineMs))
    } catch (error) {
      throw error instanceof ProblemError ? error : guard.unavailable(undefined, error)
    }
  }

  async function attempt<Result>(operation: Operation<Result>, deadlineMs: number): Promise<Result> {
    const signal = AbortSignal.timeout(deadlineMs)
    try {
      return await operation(client, signal)
    } catch (error) {
      if (getErrorCode(error) !== 'TableNotFound') throw error
      await client.createTable({ abortSignal: signal })
      return operation(client, signal)
    }
  }

  function find<Row extends object>(name: string, partitionKey: string, rowKey: string) {
    return runUnless(name, rowMissing, (_, abortSignal) => client.getEntity<Row>(partitionKey, rowKey, { abortSignal }))
  }

  return { run, runUnless, find }
}

function getErrorCode(error: unknown): string | undefined {
  const details = error instanceof RestError ? (error.details as { odataError?: { code?: string } }) : undefined
  return details?.odataError?.code
}

import { odata, type RestError, type TableClient } from '@azure/data-tables'
import { getErrorCode } from './mapping-table.ts'
import type { BackupRow } from './backup-row.ts'

/** Outcome of a row. A message says why it was not inserted. */
export type Outcome = 'inserted' | 'present' | { readonly kind: 'conflict' | 'rejected'; readonly message: string }

export interface InsertOptions {
  readonly client: TableClient
  readonly isDryRun: boolean
  readonly onOutcome: (row: BackupRow, outcome: Outcome) => void
}

/**
 * Inserts rows of one partition with different keys. Existing rows stay as they are: a row with the same identity is present,
 * one with another identity conflicts.
 */
export async function insertRows(rows: readonly BackupRow[], options: InsertOptions): Promise<void> {
  const { client, isDryRun, onOutcome } = options
  let remaining = rows
  if (isDryRun) remaining = await settleExisting(remaining, options)
  while (remaining.length > 0) {
    try {
      if (!isDryRun) await client.submitTransaction(remaining.map(({ entity }) => ['create', entity]))
      for (const row of remaining) onOutcome(row, 'inserted')
      return
    } catch (error) {
      // A rejected transaction changes nothing. Its error begins with the index of the row.
      const [, index] = /^(\d+):/.exec((error as RestError).message) ?? []
      const failed = remaining[Number(index)]
      if (getErrorCode(error) === 'EntityAlreadyExists') remaining = await settleExisting(remaining, options)
      else if (isInvalid(error)) {
        // The transaction as a whole may also be too large.
        const suspects = failed ? [failed] : remaining
        for (const row of suspects) await insertAlone(row, options)
        remaining = remaining.filter((row) => !suspects.includes(row))
      } else throw error
    }
  }
}

/** Azurite rejects some rows only in a transaction. */
async function insertAlone(row: BackupRow, options: InsertOptions): Promise<void> {
  const { client, onOutcome } = options
  try {
    await client.createEntity(row.entity)
    onOutcome(row, 'inserted')
  } catch (error) {
    if (getErrorCode(error) === 'EntityAlreadyExists') await settleExisting([row], options)
    else if (isInvalid(error)) {
      const message = `the table rejected the row with ${getErrorCode(error)}: correct it`
      onOutcome(row, { kind: 'rejected', message })
    } else throw error
  }
}

function isInvalid(error: unknown): boolean {
  return [400, 413].includes((error as RestError).statusCode ?? 0)
}

/** Reports the rows that exist in the table, and returns the others. */
async function settleExisting(
  rows: readonly BackupRow[],
  { client, onOutcome }: InsertOptions,
): Promise<readonly BackupRow[]> {
  const existing = await findIdentities(client, rows)
  return rows.filter((row) => {
    const { rowKey, communicationUserId } = row.entity
    if (!existing.has(rowKey)) return true
    const current = existing.get(rowKey)
    // A journal entry changes while it is in the journal.
    const isSame = row.part === 'journal' || current === communicationUserId
    const message = `the user already has the identity ${current}, which was kept`
    onOutcome(row, isSame ? 'present' : { kind: 'conflict', message })
    return false
  })
}

/** Reads the identities of the rows that exist, by key. In a backup, the rows of a partition are adjacent. */
async function findIdentities(client: TableClient, rows: readonly BackupRow[]) {
  const { partitionKey } = rows[0]!.entity
  const keys = rows.map(({ entity }) => entity.rowKey).toSorted(compare)
  const filter = odata`PartitionKey eq ${partitionKey} and RowKey ge ${keys[0]!} and RowKey le ${keys.at(-1)!}`
  const identities = new Map<string, string | undefined>()
  try {
    const queryOptions = { filter, select: ['RowKey', 'communicationUserId'] }
    for await (const row of client.listEntities<{ communicationUserId?: string }>({ queryOptions })) {
      identities.set(row.rowKey!, row.communicationUserId)
    }
  } catch (error) {
    if (getErrorCode(error) !== 'TableNotFound') throw error
  }
  return identities
}

/** Orders keys as the table does. */
function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}

import { open, type FileHandle } from 'node:fs/promises'
import { parseBackupRow, type BackupRow } from './backup-row.ts'
import { insertRows, type Outcome } from './insert-rows.ts'
import { formatStoreError, type MappingTable } from './mapping-table.ts'
import type { ProgressLog } from './progress-log.ts'
import { csvHeader } from './row-format.ts'

export interface ImportOptions {
  readonly table: MappingTable
  /** Path of a backup. */
  readonly path: string
  /** Only counts what an import would do. */
  readonly isDryRun: boolean
  readonly log: ProgressLog
  /** Receives each row that conflicts or is rejected, with its line. */
  readonly onProblem: (line: number, message: string) => void
}

export type Counts = Record<'inserted' | 'present' | 'conflict' | 'rejected', number>

/** Azure's limit. */
const maxBatchSize = 100
const maxConcurrent = 8

/**
 * Inserts the rows of a backup that do not exist, and returns how many rows had which outcome. Never changes an existing row,
 * so that it is safe to repeat.
 */
export async function importMappings(options: ImportOptions): Promise<Counts> {
  const { table, path, isDryRun, log, onProblem } = options
  const { client, resourceId } = table
  await using file = await open(path).catch((cause: Error) => rejectUnreadable(path, cause))
  if (await isCsv(file).catch((cause: Error) => rejectUnreadable(path, cause))) {
    throw new Error(`${path} is a CSV, which is not a complete backup: import a file of --format ndjson`)
  }
  const counts: Counts = { inserted: 0, present: 0, conflict: 0, rejected: 0 }
  const count = (line: number, outcome: Outcome) => {
    counts[typeof outcome === 'string' ? outcome : outcome.kind]++
    if (typeof outcome !== 'string') onProblem(line, outcome.message)
    log.update(() => formatCounts(counts))
  }
  const onOutcome = ({ line }: BackupRow, outcome: Outcome) => count(line, outcome)
  try {
    if (!isDryRun) await client.createTable()
    // Promises of the journal are kept as soon as they are inserted, which must not be before their users.
    for (const part of ['users', 'journal'] as const) {
      const batches = batchRows(parseRows(file, part, resourceId, count))
      const workers = Array.from({ length: maxConcurrent }, async () => {
        for await (const batch of batches) await insertRows(batch, { client, isDryRun, onOutcome })
      })
      await Promise.all(workers)
    }
  } catch (cause) {
    const role = isDryRun ? 'Storage Table Data Reader' : 'Storage Table Data Contributor'
    const progress = `${formatCounts(counts)}, run the command again to continue`
    throw new Error(`importing stopped after ${progress}: ${formatStoreError(cause, role)}`, { cause })
  }
  return counts
}

export function formatCounts({ inserted, present, conflict, rejected }: Counts): string {
  return `${inserted} rows inserted, ${present} already present, ${conflict} in conflict, ${rejected} rejected`
}

function rejectUnreadable(path: string, cause: Error): never {
  throw new Error(`cannot read ${path}: ${cause.message}`, { cause })
}

/** Compares only the names: spreadsheets add a byte order mark, and end lines differently. */
async function isCsv(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(csvHeader.length), 0, csvHeader.length, 0)
  return buffer.toString('utf8', 0, bytesRead).includes(csvHeader.slice(0, csvHeader.indexOf(',')))
}

/** Yields the rows of one part. Counts invalid lines with the users. */
async function* parseRows(
  file: FileHandle,
  part: BackupRow['part'],
  resourceId: string,
  count: (line: number, outcome: Outcome) => void,
): AsyncGenerator<BackupRow> {
  let line = 0
  for await (const text of file.readLines({ start: 0, autoClose: false })) {
    line++
    if (text === '') continue
    try {
      const row = parseBackupRow(text, line, resourceId)
      if (row.part === part) yield row
    } catch (error) {
      if (part === 'users') count(line, { kind: 'rejected', message: (error as Error).message })
    }
  }
}

/** Groups rows for transactions: of one partition, and with different keys. */
async function* batchRows(rows: AsyncIterable<BackupRow>): AsyncGenerator<readonly BackupRow[]> {
  const batches = new Map<string, Map<string, BackupRow>>()
  for await (const row of rows) {
    const { partitionKey, rowKey } = row.entity
    const batch = batches.get(partitionKey)
    if (batch && (batch.has(rowKey) || batch.size === maxBatchSize)) {
      yield [...batch.values()]
      batches.delete(partitionKey)
    }
    const open = batches.get(partitionKey) ?? new Map<string, BackupRow>()
    batches.set(partitionKey, open.set(rowKey, row))
  }
  for (const batch of batches.values()) yield [...batch.values()]
}

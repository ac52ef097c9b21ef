import { open, type FileHandle } from 'node:fs/promises'
import { parseJson } from '@acs-kit/service-settings/parse-json'
import { getPart, toEntity, type BackupPart, type BackupRow } from './backup-row.ts'
import { formatCount } from './format-count.ts'
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

export interface Counts extends Record<'present' | 'conflict' | 'rejected', number> {
  readonly inserted: Record<BackupPart, number>
}

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
  const counts = { inserted: { users: 0, journal: 0 }, present: 0, conflict: 0, rejected: 0 }
  const onOutcome = ({ line, part }: Pick<BackupRow, 'line' | 'part'>, outcome: Outcome) => {
    if (outcome === 'inserted') counts.inserted[part]++
    else counts[outcome === 'present' ? outcome : outcome.kind]++
    if (typeof outcome !== 'string') onProblem(line, outcome.message)
    log.update(() => formatCounts(counts, isDryRun))
  }
  try {
    if (!isDryRun) await client.createTable()
    // Promises of the journal are kept as soon as they are inserted, which must not be before their users.
    for (const part of ['users', 'journal'] as const) {
      const batches = batchRows(parseRows(file, part, resourceId, onOutcome))
      const workers = Array.from({ length: maxConcurrent }, async () => {
        for await (const batch of batches) await insertRows(batch, { client, isDryRun, onOutcome })
      })
      await Promise.all(workers)
    }
  } catch (cause) {
    const role = isDryRun ? 'Storage Table Data Reader' : 'Storage Table Data Contributor'
    const progress = `${formatCounts(counts, isDryRun)}, run the command again to continue`
    throw new Error(`importing stopped after ${progress}: ${formatStoreError(cause, role)}`, { cause })
  }
  const { inserted, present, conflict, rejected } = counts
  if (inserted.users + inserted.journal + present + conflict + rejected === 0) {
    throw new Error(`${path} contains no rows: export the mapping again`)
  }
  return counts
}

export function formatCounts({ inserted, present, conflict, rejected }: Counts, isDryRun: boolean): string {
  const journal = formatCount(inserted.journal, 'journal entry', 'journal entries')
  const rows = `${formatCount(inserted.users, 'user')} and ${journal} ${isDryRun ? 'would be inserted' : 'inserted'}`
  return `${rows}, ${present} already present, ${conflict} in conflict, ${rejected} rejected`
}

function rejectUnreadable(path: string, cause: Error): never {
  throw new Error(`cannot read ${path}: ${cause.message}`, { cause })
}

/** Compares only the names: spreadsheets add a byte order mark, and end lines differently. */
async function isCsv(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(csvHeader.length), 0, csvHeader.length, 0)
  return buffer.toString('utf8', 0, bytesRead).includes(csvHeader.slice(0, csvHeader.indexOf(',')))
}

/** Yields the valid rows of one part. */
async function* parseRows(
  file: FileHandle,
  part: BackupPart,
  resourceId: string,
  onOutcome: (row: Pick<BackupRow, 'line' | 'part'>, outcome: Outcome) => void,
): AsyncGenerator<BackupRow> {
  let line = 0
  for await (const text of file.readLines({ start: 0, autoClose: false })) {
    line++
    const json = text.replace(/^\uFEFF/, '')
    const value = parseJson(json)
    if (json === '' || getPart(value) !== part) continue
    try {
      yield { line, part, entity: toEntity(value, resourceId) }
    } catch (error) {
      onOutcome({ line, part }, { kind: 'rejected', message: (error as Error).message })
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

import { setImmediate as yieldToRequest } from 'node:timers/promises'
import { userRows } from '@acs-kit/service-settings/mapping-row'
import type { TableClient } from '@azure/data-tables'
import { formatCount } from './format-count.ts'
import { createGarbageCollector } from './garbage-collector.ts'
import { formatStoreError } from './mapping-table.ts'
import type { ProgressLog } from './progress-log.ts'
import { ResumableFile } from './resumable-file.ts'
import { csvHeader, toCsvLine, toJsonLine, type StoredRow, type UnmappedStatus } from './row-format.ts'

export interface ExportFormat {
  /** Distinguishes its partial files. */
  readonly name: string
  readonly header: string
  readonly queryOptions: { readonly filter?: string; readonly select?: string[] }
  readonly toLine: (row: StoredRow) => string
}

/**
 * A complete backup: all rows, with the type of each property. Doubles that are whole numbers become integers, because the table
 * sends both in the same way. The journal contains promises that are not kept yet.
 */
export const ndjson: ExportFormat = { name: 'ndjson', header: '', queryOptions: {}, toLine: toJsonLine }

/** The users as Microsoft's migration guide expects them. */
export function csv(unmapped: UnmappedStatus): ExportFormat {
  return {
    name: `csv, ${unmapped}`,
    header: csvHeader,
    queryOptions: { filter: userRows, select: ['PartitionKey', 'RowKey', 'issuer', 'subject', 'communicationUserId'] },
    toLine: (row) => toCsvLine(row, unmapped),
  }
}

export interface ExportOptions {
  readonly table: { readonly client: TableClient; readonly url: string }
  readonly format: ExportFormat
  /** Path of a new file. */
  readonly path: string
  /** Discards what an earlier call for the same file wrote. */
  readonly startsOver?: boolean
  readonly log: ProgressLog
}

/**
 * Writes the table's rows to a new file that only its owner can read, and returns their number. Continues where an earlier
 * call for the same file stopped, unless it starts over.
 */
export async function exportMappings({ table, format, path, startsOver, log }: ExportOptions): Promise<number> {
  const { name, header, queryOptions, toLine } = format
  await using file = await ResumableFile.open(path, `${name}, of ${table.url}`, { startsOver })
  const { continuationToken, rows: found } = file.progress
  // Changes of these rows since then will be missing.
  if (found > 0)
    log.print(`continuing after ${formatCount(found, 'row')}, exported until ${file.interruptedOn.toISOString()}`)
  if (!file.progress.isLast) {
    const collectGarbage = createGarbageCollector()
    const scan = table.client.listEntities({ queryOptions, disableTypeConversion: true })
    for await (const page of readAhead(scan.byPage(continuationToken === undefined ? {} : { continuationToken }))) {
      const rows = file.progress.rows + page.length
      const text = page.map(toLine).join('')
      const isFirst = file.progress.continuationToken === undefined
      const progress = { rows, continuationToken: page.continuationToken, isLast: page.continuationToken === undefined }
      await file.append(isFirst ? header + text : text, progress)
      log.update(() => `${formatCount(rows, 'row')} exported`)
      collectGarbage()
    }
  }
  await file.complete()
  return file.progress.rows
}

/** Requests the next page while the current one is processed. */
async function* readAhead<Page>(pages: AsyncIterableIterator<Page>): AsyncGenerator<Page> {
  let next = pages.next()
  for (;;) {
    const result = await next.catch((cause: unknown) => {
      const reason = formatStoreError(cause, 'Storage Table Data Reader')
      throw new Error(`reading the mapping table failed, run the command again: ${reason}`, { cause })
    })
    if (result.done) return
    next = pages.next()
    // It is awaited only after the current page.
    next.catch(() => {})
    // It is sent before the processing occupies this thread.
    await yieldToRequest()
    yield result.value
  }
}

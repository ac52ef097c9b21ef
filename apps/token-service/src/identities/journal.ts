import { randomUUID } from 'node:crypto'
import { odata, type TableEntityResult } from '@azure/data-tables'
import type { BackgroundTasks } from '../background-tasks.ts'
import { rowMissing, rowStale, scanDeadlineMs, type Table } from './table.ts'

export interface JournalEntry {
  readonly id: string
  /**
   * `create`: a creation has begun. `delete`, `revoke`: promised to a client. `lost`: a creation ended before the id was known;
   * ACS does not list identities, so an unused one may remain. The names are stored: existing tables contain them.
   */
  readonly kind: 'create' | 'delete' | 'revoke' | 'lost'
  readonly userKey: string
  /** Missing until the creation reports it. */
  readonly communicationUserId?: string
  readonly writtenOn: Date
}

/** A version of an entry. The store rejects changes based on an outdated version. */
export interface StoredEntry extends JournalEntry {
  readonly etag: string
}

type Row = Omit<JournalEntry, 'id'>

/** Sorts after the partitions of users. */
const partitionKey = 'journal'

export type Journal = ReturnType<typeof createJournal>

/** Write-ahead log of the steps that a crash could leave incomplete. */
export function createJournal(table: Table, now: () => number, backgroundTasks: BackgroundTasks) {
  /** Entries whose write failed but may have reached the store. */
  const unconfirmed = new Set<JournalEntry>()

  async function add(entry: Omit<JournalEntry, 'id' | 'writtenOn'>): Promise<StoredEntry> {
    const added = { ...entry, id: randomUUID(), writtenOn: new Date(now()) }
    try {
      return await put(added)
    } catch (error) {
      // The store may have written it, but the caller reports that nothing has changed.
      unconfirmed.add(added)
      backgroundTasks.run('withdraw a journal entry', () => withdraw())
      throw error
    }
  }

  /** Removes the entries that a failed `add` may have written. */
  async function withdraw(): Promise<void> {
    for (const entry of unconfirmed) {
      await remove(entry)
      unconfirmed.delete(entry)
    }
  }

  /** Writes an entry, replacing any with the same id. */
  async function put({ id, kind, userKey, communicationUserId, writtenOn }: JournalEntry): Promise<StoredEntry> {
    const row: Row = { kind, userKey, writtenOn, ...(communicationUserId && { communicationUserId }) }
    const etag = await table.run('write journal entry', async (client, abortSignal) => {
      const written = await client.upsertEntity({ partitionKey, rowKey: id, ...row }, 'Replace', { abortSignal })
      if (written.etag === undefined) throw new Error('the store returned no etag')
      return written.etag
    })
    return { id, ...row, etag }
  }

  /** Reads an entry again. Returns undefined if it has changed or no longer exists. */
  async function reread({ id, etag }: StoredEntry): Promise<StoredEntry | undefined> {
    const row = await table.find<Row>('find journal entry', partitionKey, id)
    return row?.etag === etag ? toEntry(row) : undefined
  }

  async function remove({ id }: JournalEntry): Promise<void> {
    await table.runUnless('remove journal entry', rowMissing, (client, abortSignal) =>
      client.deleteEntity(partitionKey, id, { abortSignal }),
    )
  }

  /** Changes an entry. Returns false if it was changed or removed in the meantime. */
  async function change(
    { id, etag }: StoredEntry,
    change: Partial<Pick<Row, 'kind' | 'communicationUserId'>>,
  ): Promise<boolean> {
    const changed = await table.runUnless('change journal entry', rowStale, (client, abortSignal) =>
      client.updateEntity({ partitionKey, rowKey: id, ...change }, 'Merge', { etag, abortSignal }),
    )
    return changed !== undefined
  }

  /** Removes the entry of a completed creation. Returns false if the creation was cancelled. */
  async function confirm({ id, etag }: StoredEntry): Promise<boolean> {
    const removed = await table.runUnless('remove journal entry', rowStale, (client, abortSignal) =>
      client.deleteEntity(partitionKey, id, { etag, abortSignal }),
    )
    return removed !== undefined || (await table.find<Row>('find journal entry', partitionKey, id)) === undefined
  }

  /** Lists all entries, or a user's. Each page has its own deadline: there may be many after an outage. */
  async function* list(userKey?: string): AsyncGenerator<StoredEntry> {
    const userFilter = userKey === undefined ? '' : odata` and userKey eq ${userKey}`
    const filter = odata`PartitionKey eq ${partitionKey}` + userFilter
    let continuationToken: string | undefined
    do {
      const page = await table.run(
        'list journal',
        async (client, abortSignal) => {
          const pages = client
            .listEntities<Row>({ queryOptions: { filter }, abortSignal })
            .byPage(continuationToken === undefined ? {} : { continuationToken })
          return (await pages.next()).value
        },
        scanDeadlineMs,
      )
      yield* (page ?? []).map(toEntry)
      continuationToken = page?.continuationToken
    } while (continuationToken !== undefined)
  }

  return { add, withdraw, put, reread, remove, change, confirm, list }
}

function toEntry({ rowKey, etag, ...row }: TableEntityResult<Row>): StoredEntry {
  const { kind, userKey, communicationUserId, writtenOn } = row
  return { id: rowKey!, kind, userKey, writtenOn, ...(communicationUserId && { communicationUserId }), etag }
}

import { randomUUID } from 'node:crypto'
import { odata, type TableEntityResult } from '@azure/data-tables'
import type { BackgroundTasks } from '../background-tasks.ts'
import { rowMissing, rowStale, scanDeadlineMs, type Table } from './table.ts'

export interface JournalEntry {
  readonly id: string
  /**
   * `create`: a creation has begun. `delete`, `revoke`: promised to a client. `lost`: a creation ended before the id was known;
   * ACS does not list identities, so an unused one may remain.
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

/** Write-ahead log of the steps that a crash could leave incomplete. */
export class Journal {
  readonly #table: Table
  readonly #now: () => number
  readonly #backgroundTasks: BackgroundTasks
  /** Entries whose write failed but may have reached the store. */
  readonly #unconfirmed = new Set<JournalEntry>()

  constructor(table: Table, now: () => number, backgroundTasks: BackgroundTasks) {
    this.#table = table
    this.#now = now
    this.#backgroundTasks = backgroundTasks
  }

  async add(entry: Omit<JournalEntry, 'id' | 'writtenOn'>): Promise<StoredEntry> {
    const added = { ...entry, id: randomUUID(), writtenOn: new Date(this.#now()) }
    try {
      return await this.put(added)
    } catch (error) {
      // The store may have written it, but the caller reports that nothing has changed.
      this.#unconfirmed.add(added)
      this.#backgroundTasks.run('withdraw a journal entry', () => this.withdraw())
      throw error
    }
  }

  /** Removes the entries that a failed `add` may have written. */
  async withdraw(): Promise<void> {
    for (const entry of this.#unconfirmed) {
      await this.remove(entry)
      this.#unconfirmed.delete(entry)
    }
  }

  /** Writes an entry, replacing any with the same id. */
  async put({ id, kind, userKey, communicationUserId, writtenOn }: JournalEntry): Promise<StoredEntry> {
    const row: Row = { kind, userKey, writtenOn, ...(communicationUserId && { communicationUserId }) }
    const etag = await this.#table.run(async (client, abortSignal) => {
      const written = await client.upsertEntity({ partitionKey, rowKey: id, ...row }, 'Replace', { abortSignal })
      if (written.etag === undefined) throw new Error('the store returned no etag')
      return written.etag
    })
    return { id, ...row, etag }
  }

  /** Reads an entry again. Returns undefined if it has changed or no longer exists. */
  async reread({ id, etag }: StoredEntry): Promise<StoredEntry | undefined> {
    const row = await this.#read(id)
    return row?.etag === etag ? toEntry(row) : undefined
  }

  async remove({ id }: JournalEntry): Promise<void> {
    await this.#table.runUnless(rowMissing, (client, abortSignal) =>
      client.deleteEntity(partitionKey, id, { abortSignal }),
    )
  }

  /** Changes an entry. Returns false if it was changed or removed in the meantime. */
  async change(
    { id, etag }: StoredEntry,
    change: Partial<Pick<Row, 'kind' | 'communicationUserId'>>,
  ): Promise<boolean> {
    const changed = await this.#table.runUnless(rowStale, (client, abortSignal) =>
      client.updateEntity({ partitionKey, rowKey: id, ...change }, 'Merge', { etag, abortSignal }),
    )
    return changed !== undefined
  }

  /** Removes the entry of a completed creation. Returns false if the creation was cancelled. */
  async confirm({ id, etag }: StoredEntry): Promise<boolean> {
    const removed = await this.#table.runUnless(rowStale, (client, abortSignal) =>
      client.deleteEntity(partitionKey, id, { etag, abortSignal }),
    )
    return removed !== undefined || (await this.#read(id)) === undefined
  }

  /** Lists all entries, or a user's. Each page has its own deadline: there may be many after an outage. */
  async *list(userKey?: string): AsyncGenerator<StoredEntry> {
    const ofUser = userKey === undefined ? '' : odata` and userKey eq ${userKey}`
    const filter = odata`PartitionKey eq ${partitionKey}` + ofUser
    let continuationToken: string | undefined
    do {
      const page = await this.#table.run(async (client, abortSignal) => {
        const pages = client
          .listEntities<Row>({ queryOptions: { filter }, abortSignal })
          .byPage(continuationToken === undefined ? {} : { continuationToken })
        return (await pages.next()).value
      }, scanDeadlineMs)
      yield* (page ?? []).map(toEntry)
      continuationToken = page?.continuationToken
    } while (continuationToken !== undefined)
  }

  #read(id: string): Promise<TableEntityResult<Row> | undefined> {
    return this.#table.runUnless(rowMissing, (client, abortSignal) =>
      client.getEntity<Row>(partitionKey, id, { abortSignal }),
    )
  }
}

function toEntry({ rowKey, etag, ...row }: TableEntityResult<Row>): StoredEntry {
  const { kind, userKey, communicationUserId, writtenOn } = row
  return { id: rowKey!, kind, userKey, writtenOn, ...(communicationUserId && { communicationUserId }), etag }
}

import { randomUUID } from 'node:crypto'
import { odata, type TableEntityResult } from '@azure/data-tables'
import type { Table } from './table.ts'

export interface JournalEntry {
  readonly id: string
  /**
   * `create`: an identity may have been created. `delete`, `revoke`: to be done to the identity. `lost`: a creation that
   * ended before the id was known; the service cannot list identities, so nobody can name the one that may exist.
   */
  readonly kind: 'create' | 'delete' | 'revoke' | 'lost'
  readonly userKey: string
  /** Missing while the creation that the entry is about has not reported one. */
  readonly communicationUserId?: string
  readonly writtenOn: Date
}

/** An entry as it was read or written; the store rejects a change to any other version of it. */
export interface StoredEntry extends JournalEntry {
  readonly etag: string
}

type Row = Omit<JournalEntry, 'id'>

/** After the partitions of users, see there. */
const partitionKey = 'journal'

/** What has been begun and is not confirmed: written before each step that a crash could leave half done. */
export class Journal {
  readonly #table: Table
  readonly #now: () => number

  constructor(table: Table, now: () => number) {
    this.#table = table
    this.#now = now
  }

  async add(entry: Omit<JournalEntry, 'id' | 'writtenOn'>): Promise<StoredEntry> {
    return this.put({ ...entry, id: randomUUID(), writtenOn: new Date(this.#now()) })
  }

  /** Writes the entry, whatever the store has under its id. */
  async put({ id, kind, userKey, communicationUserId, writtenOn }: JournalEntry): Promise<StoredEntry> {
    const row: Row = { kind, userKey, writtenOn, ...(communicationUserId && { communicationUserId }) }
    const { etag } = await this.#table.run((client, abortSignal) =>
      client.upsertEntity({ partitionKey, rowKey: id, ...row }, 'Replace', { abortSignal }),
    )
    return { id, ...row, etag: etag! }
  }

  async remove({ id }: JournalEntry): Promise<void> {
    await this.#table.run((client, abortSignal) => client.deleteEntity(partitionKey, id, { abortSignal }), {
      status: 404,
    })
  }

  /** Turns a creation that may still be under way into a deletion. Returns false when its entry has changed or is gone. */
  async cancel({ id, etag }: StoredEntry): Promise<boolean> {
    const change: Pick<Row, 'kind'> = { kind: 'delete' }
    const cancelled = await this.#table.run(
      (client, abortSignal) =>
        client.updateEntity({ partitionKey, rowKey: id, ...change }, 'Merge', { etag, abortSignal }),
      { status: [404, 412] },
    )
    return cancelled !== undefined
  }

  /** Removes the entry of a creation that counts. Returns false when the entry was changed: the creation was cancelled. */
  async confirm({ id, etag }: StoredEntry): Promise<boolean> {
    const removed = await this.#table.run(
      (client, abortSignal) => client.deleteEntity(partitionKey, id, { etag, abortSignal }),
      { status: [404, 412] },
    )
    return removed !== undefined || !(await this.#exists(id))
  }

  /** Lists all entries, or a user's. Each page has a deadline of its own: after an outage there may be many. */
  async *list(userKey?: string): AsyncGenerator<StoredEntry> {
    const filter =
      userKey === undefined
        ? odata`PartitionKey eq ${partitionKey}`
        : odata`PartitionKey eq ${partitionKey} and userKey eq ${userKey}`
    let continuationToken: string | undefined
    do {
      const page = await this.#page(filter, continuationToken)
      yield* page.entries
      continuationToken = page.continuationToken
    } while (continuationToken !== undefined)
  }

  async #exists(id: string): Promise<boolean> {
    const row = await this.#table.run((client, abortSignal) => client.getEntity(partitionKey, id, { abortSignal }), {
      status: 404,
    })
    return row !== undefined
  }

  #page(filter: string, continuationToken: string | undefined) {
    return this.#table.run(async (client, abortSignal) => {
      const pages = client
        .listEntities<Row>({ queryOptions: { filter }, abortSignal })
        .byPage(continuationToken === undefined ? {} : { continuationToken })
      const { value: page } = await pages.next()
      return { entries: (page ?? []).map(toEntry), continuationToken: page?.continuationToken }
    })
  }
}

function toEntry({ rowKey, etag, ...row }: TableEntityResult<Row>): StoredEntry {
  const { kind, userKey, communicationUserId, writtenOn } = row
  return { id: rowKey!, kind, userKey, writtenOn, ...(communicationUserId && { communicationUserId }), etag }
}

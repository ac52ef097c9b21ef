import { randomUUID } from 'node:crypto'
import { odata, type TableEntityResult } from '@azure/data-tables'
import type { Table } from './table.ts'

export interface JournalEntry {
  readonly id: string
  /**
   * `create`: an identity may have been created. `delete`, `revoke`: to be done to the identity. `lost`: a creation that
   * ended before the id was known; the service cannot list identities, so nobody can name the one that may be there.
   */
  readonly kind: 'create' | 'delete' | 'revoke' | 'lost'
  readonly userKey: string
  /** All but those that wait for one. */
  readonly communicationUserId?: string
  readonly writtenOn: Date
}

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

  async add(entry: Omit<JournalEntry, 'id' | 'writtenOn'>): Promise<JournalEntry> {
    const added = { ...entry, id: randomUUID(), writtenOn: new Date(this.#now()) }
    await this.put(added)
    return added
  }

  async put({ id, ...entry }: JournalEntry): Promise<void> {
    await this.#table.run((client, abortSignal) =>
      client.upsertEntity({ partitionKey, rowKey: id, ...entry }, 'Replace', { abortSignal }),
    )
  }

  async remove({ id }: JournalEntry): Promise<void> {
    await this.#table.run((client, abortSignal) => client.deleteEntity(partitionKey, id, { abortSignal }), {
      status: 404,
    })
  }

  /** Each page within a deadline of its own: after an outage there may be many. */
  async *list(): AsyncGenerator<JournalEntry> {
    let continuationToken: string | undefined
    do {
      const page = await this.#page(`PartitionKey eq '${partitionKey}'`, continuationToken)
      yield* page.entries
      continuationToken = page.continuationToken
    } while (continuationToken !== undefined)
  }

  /** Whether the user has an entry of this kind. */
  async has(kind: JournalEntry['kind'], userKey: string): Promise<boolean> {
    const { entries } = await this.#page(
      odata`PartitionKey eq ${partitionKey} and userKey eq ${userKey} and kind eq ${kind}`,
    )
    return entries.length > 0
  }

  #page(filter: string, continuationToken?: string) {
    return this.#table.run(async (client, abortSignal) => {
      const pages = client
        .listEntities<Omit<JournalEntry, 'id'>>({ queryOptions: { filter }, abortSignal })
        .byPage(continuationToken === undefined ? {} : { continuationToken })
      const { value: page } = await pages.next()
      return { entries: (page ?? []).map(toEntry), continuationToken: page?.continuationToken }
    })
  }
}

function toEntry({
  rowKey,
  kind,
  userKey,
  communicationUserId,
  writtenOn,
}: TableEntityResult<Omit<JournalEntry, 'id'>>): JournalEntry {
  return { id: rowKey!, kind, userKey, writtenOn, ...(communicationUserId && { communicationUserId }) }
}

import { randomUUID } from 'node:crypto'
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

  async list(): Promise<JournalEntry[]> {
    return this.#table.run(async (client, abortSignal) => {
      const entries: JournalEntry[] = []
      const rows = client.listEntities<Omit<JournalEntry, 'id'>>({
        queryOptions: { filter: `PartitionKey eq '${partitionKey}'` },
        abortSignal,
      })
      for await (const { rowKey, kind, userKey, communicationUserId, writtenOn } of rows) {
        entries.push({ id: rowKey!, kind, userKey, writtenOn, ...(communicationUserId && { communicationUserId }) })
      }
      return entries
    })
  }
}

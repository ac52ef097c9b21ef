import type { Store } from '../store.ts'
import { parseTarget, type ResourceId } from './resource-id.ts'
import type { Envelope, StoredResource } from './resource-types.ts'

interface Row {
  readonly id: string
  readonly envelope: string
  readonly ready_at: number
}

/** Table of the resources. */
export class ArmStore {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  get({ key }: ResourceId): StoredResource | undefined {
    const row = this.#store.get<Row>('SELECT * FROM arm_resource WHERE key = ?', key)
    return row && toResource(row)
  }

  /** Lists everything below a scope, in the order of creation. */
  list(scope: string): StoredResource[] {
    const prefix = `${scope.toLowerCase()}/`
    return this.#store
      .all<Row>('SELECT * FROM arm_resource WHERE substr(key, 1, ?) = ? ORDER BY rowid', prefix.length, prefix)
      .map(toResource)
  }

  put({ id: { id, key }, envelope, readyAt }: StoredResource): void {
    this.#store.run(
      `INSERT INTO arm_resource (key, id, envelope, ready_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET envelope = excluded.envelope, ready_at = excluded.ready_at`,
      key,
      id,
      JSON.stringify(envelope),
      readyAt,
    )
  }

  delete({ key }: ResourceId): void {
    this.#store.run('DELETE FROM arm_resource WHERE key = ?', key)
  }
}

function toResource({ id, envelope, ready_at: readyAt }: Row): StoredResource {
  const target = parseTarget(id)
  if (target?.kind !== 'resource') throw new Error(`invalid resource id in the store: ${id}`)
  return { id: target.id, envelope: JSON.parse(envelope) as Envelope, readyAt }
}

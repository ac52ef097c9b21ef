import type { Store } from '../store.ts'
import { parseTarget } from './resource-id.ts'
import type { Envelope, KnownResource } from './resource-types.ts'

interface Row {
  readonly id: string
  readonly envelope: string
  readonly ready_at: number
}

/** The resources, as the store keeps them. */
export class ArmStore {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  get(key: string): KnownResource | undefined {
    const row = this.#store.get<Row>('SELECT * FROM arm_resource WHERE key = ?', key)
    return row && toResource(row)
  }

  /** In the order in which they were made. */
  below(scope: string): KnownResource[] {
    const prefix = `${scope.toLowerCase()}/`
    return this.#store
      .all<Row>('SELECT * FROM arm_resource WHERE substr(key, 1, ?) = ? ORDER BY rowid', prefix.length, prefix)
      .map(toResource)
  }

  put({ id: { id, key }, envelope, readyAt }: KnownResource): void {
    this.#store.run(
      `INSERT INTO arm_resource (key, id, envelope, ready_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET envelope = excluded.envelope, ready_at = excluded.ready_at`,
      key,
      id,
      JSON.stringify(envelope),
      readyAt,
    )
  }

  delete(key: string): void {
    this.#store.run('DELETE FROM arm_resource WHERE key = ?', key)
  }
}

function toResource({ id, envelope, ready_at: readyAt }: Row): KnownResource {
  const target = parseTarget(id)
  if (target?.kind !== 'resource') throw new Error(`the store holds no resource id: ${id}`)
  return { id: target.id, envelope: JSON.parse(envelope) as Envelope, readyAt }
}

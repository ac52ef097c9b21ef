import type { Store } from '../store.ts'
import { parseTarget, type ResourceId } from './resource-id.ts'
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

  get(key: string): (KnownResource & { readonly readyAt: number }) | undefined {
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

  /** `readyAt`: until when it is being made, in milliseconds since 1970. */
  put({ id, key }: ResourceId, envelope: Envelope, readyAt: number): void {
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

  clear(): void {
    this.#store.run('DELETE FROM arm_resource')
  }
}

function toResource({ id, envelope, ready_at: readyAt }: Row) {
  const target = parseTarget(id)
  if (target?.kind !== 'resource') throw new Error(`the store holds no resource id: ${id}`)
  return { id: target.id, envelope: JSON.parse(envelope) as Envelope, readyAt }
}

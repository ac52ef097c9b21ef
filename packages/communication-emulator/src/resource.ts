import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { getWellKnownAccessKey, isBase64, type AccessKey, type KeySlot } from './access-key.ts'
import type { AccessKeyRow, ResourceRow, Store } from './store.ts'

/** A Communication Services resource of the emulator. */
export interface ResourceOptions {
  /** Letters, digits and hyphens, at most 63: as Azure names resources. */
  readonly name: string
  /** 0, the default, takes a free port. */
  readonly port?: number
  /** Primary access key, base64; by default the well-known one of the name. */
  readonly accessKey?: string
  /** Default `United States`. */
  readonly dataLocation?: string
}

/** What the store keeps of a resource. Its identities belong to the immutable id, as in Azure. */
export class Resource {
  readonly id: number
  readonly name: string
  readonly immutableId: string
  readonly dataLocation: string
  /** As the resource manager was told: only Entra ID's tokens are let in, or nobody. */
  restriction = { isLocalAuthDisabled: false, isPublicAccessDisabled: false }
  #keys: AccessKey[] = []
  readonly #store: Store

  /** A given access key replaces even one that the store has kept. Throws when name or key is malformed. */
  constructor(store: Store, { name, accessKey, dataLocation = 'United States' }: ResourceOptions) {
    if (!/^[-\w]{1,63}$/.test(name)) {
      throw new Error(`the resource name ${JSON.stringify(name)} must have 1 to 63 letters, digits, - or _`)
    }
    if (accessKey !== undefined && !isBase64(accessKey)) {
      throw new Error(`the access key of the resource ${name} must be base64`)
    }
    this.#store = store
    this.name = name
    const find = () => store.get<ResourceRow>('SELECT * FROM resource WHERE name = ?', name)
    if (!find()) {
      store.run(
        'INSERT INTO resource (name, immutable_id, data_location) VALUES (?, ?, ?)',
        name,
        randomUUID(),
        dataLocation,
      )
    }
    const row = find()!
    this.id = row.id
    this.immutableId = row.immutable_id
    this.dataLocation = row.data_location
    this.#readKeys()
    if (this.#keys.length === 0) {
      this.#replaceKey('primary', accessKey ?? getWellKnownAccessKey(name))
      this.#replaceKey('secondary')
    } else if (accessKey !== undefined && this.key('primary') !== accessKey) {
      this.#replaceKey('primary', accessKey)
    }
  }

  get keys(): readonly AccessKey[] {
    return this.#keys
  }

  key(slot: KeySlot): string {
    return this.#keys.find((key) => key.slot === slot)!.value
  }

  /** A new key for the slot. The former one is refused from now on, and the tokens issued with it are revoked. */
  regenerateKey(slot: KeySlot): string {
    this.#replaceKey(slot)
    return this.key(slot)
  }

  /** Forgets it, its keys, its identities and their tokens. */
  erase(): void {
    this.#store.transaction(() => {
      this.#store.run('DELETE FROM token WHERE identity IN (SELECT id FROM identity WHERE resource = ?)', this.id)
      this.#store.run('DELETE FROM identity WHERE resource = ?', this.id)
      this.#store.run('DELETE FROM access_key WHERE resource = ?', this.id)
      this.#store.run('DELETE FROM resource WHERE id = ?', this.id)
    })
  }

  #replaceKey(slot: KeySlot, value = randomBytes(64).toString('base64')): void {
    this.#store.transaction(() => {
      this.#store.run('DELETE FROM access_key WHERE resource = ? AND slot = ?', this.id, slot)
      this.#store.run('INSERT INTO access_key (resource, slot, value) VALUES (?, ?, ?)', this.id, slot, value)
    })
    this.#readKeys()
  }

  #readKeys(): void {
    this.#keys = this.#store
      .all<AccessKeyRow>('SELECT * FROM access_key WHERE resource = ? ORDER BY slot', this.id)
      .map(({ id, slot, value }) => ({ id, slot, value, secret: createSecretKey(value, 'base64') }))
  }
}

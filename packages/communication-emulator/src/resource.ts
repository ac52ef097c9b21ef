import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { getWellKnownAccessKey, isBase64, type AccessKey, type KeySlot } from './access-key.ts'
import { deleteChatOfResource } from './chat/chat-schema.ts'
import type { AccessKeyRow, ResourceRow, Store } from './store.ts'

export const resourceNamePattern = /^[-\w]{1,63}$/

/** A Communication Services resource to serve. */
export interface ResourceOptions {
  /** 1 to 63 letters, digits, hyphens and underscores. */
  readonly name: string
  /** Default 0: a free port. */
  readonly port?: number
  /** Primary access key in base64; default: the well-known key of the name. */
  readonly accessKey?: string
  /** Default `United States`. */
  readonly dataLocation?: string
}

/** A resource in the store. Its identities belong to its immutable id, as in Azure. */
export class Resource {
  readonly id: number
  readonly name: string
  readonly immutableId: string
  readonly dataLocation: string
  /** Rejection of access keys or of all requests, which the resource manager sets. */
  restriction = { isLocalAuthDisabled: false, isPublicAccessDisabled: false }
  #keys: AccessKey[] = []
  readonly #store: Store

  /** Opens or creates the resource. An explicit access key replaces the stored one. Throws if name or key is malformed. */
  constructor(store: Store, { name, accessKey, dataLocation = 'United States' }: ResourceOptions) {
    if (!resourceNamePattern.test(name)) {
      throw new Error(`the resource name ${JSON.stringify(name)} is invalid: use 1 to 63 letters, digits, - or _`)
    }
    if (accessKey !== undefined && !isBase64(accessKey)) {
      throw new Error(`the access key of the resource ${name} is not base64: copy it again`)
    }
    this.#store = store
    this.name = name
    const insert = 'INSERT OR IGNORE INTO resource (name, immutable_id, data_location) VALUES (?, ?, ?)'
    store.run(insert, name, randomUUID(), dataLocation)
    const row = store.get<ResourceRow>('SELECT * FROM resource WHERE name = ?', name)!
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

  /** Replaces a key and returns the new one: the old key is rejected, and the tokens issued with it are revoked. */
  regenerateKey(slot: KeySlot): string {
    this.#replaceKey(slot)
    return this.key(slot)
  }

  /** Deletes the resource with its keys, identities, tokens, assignments and chat. */
  delete(): void {
    this.#store.transaction(() => {
      for (const sql of deleteChatOfResource) this.#store.run(sql, this.id)
      this.#store.run('DELETE FROM token WHERE identity IN (SELECT id FROM identity WHERE resource = ?)', this.id)
      for (const table of ['identity', 'assignment', 'access_key']) {
        this.#store.run(`DELETE FROM ${table} WHERE resource = ?`, this.id)
      }
      this.#store.run('DELETE FROM resource WHERE id = ?', this.id)
    })
    this.#store.onTokensRejected()
  }

  #replaceKey(slot: KeySlot, value = randomBytes(64).toString('base64')): void {
    this.#store.transaction(() => {
      this.#store.run('DELETE FROM access_key WHERE resource = ? AND slot = ?', this.id, slot)
      this.#store.run('INSERT INTO access_key (resource, slot, value) VALUES (?, ?, ?)', this.id, slot, value)
    })
    this.#readKeys()
    this.#store.onTokensRejected()
  }

  #readKeys(): void {
    this.#keys = this.#store
      .all<AccessKeyRow>('SELECT * FROM access_key WHERE resource = ? ORDER BY slot', this.id)
      .map(({ id, slot, value }) => ({ id, slot, value, secret: createSecretKey(value, 'base64') }))
  }
}

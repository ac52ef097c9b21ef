import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { exportJWK, type JWK } from 'jose'
import type { Store } from '../store.ts'

export interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/**
 * Keys that sign the directory's tokens, newest first. The first is created on demand, since that is slow, and stored with
 * the state. After a rotation, the previous key stays published to verify the tokens that it signed.
 */
export class SigningKeys {
  readonly #store: Store
  #keys: readonly SigningKey[]
  #creating: Promise<void> | undefined

  constructor(store: Store) {
    this.#store = store
    this.#keys = this.#read()
  }

  async getCurrent(): Promise<SigningKey> {
    if (this.#keys.length === 0) await (this.#creating ??= this.rotate().finally(() => (this.#creating = undefined)))
    return this.#keys[0]!
  }

  find(kid: string | undefined): SigningKey | undefined {
    return this.#keys.find((key) => key.kid === kid)
  }

  /** Returns the JSON Web Key Set. */
  async publish(): Promise<{ keys: JWK[] }> {
    await this.getCurrent()
    const keys = this.#keys.map(async ({ kid, publicKey }) => ({
      ...(await exportJWK(publicKey)),
      kid,
      use: 'sig',
      alg: 'RS256',
    }))
    return { keys: await Promise.all(keys) }
  }

  /** Creates a new current key and removes all but the previous one. */
  async rotate(): Promise<void> {
    const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
    this.#store.transaction(() => {
      const { id } = this.#store.run(
        'INSERT INTO entra_signing_key (pem) VALUES (?)',
        privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      )
      this.#store.run('DELETE FROM entra_signing_key WHERE id < ?', id - 1)
    })
    this.#keys = this.#read()
  }

  #read(): SigningKey[] {
    return this.#store.all<{ pem: string }>('SELECT pem FROM entra_signing_key ORDER BY id DESC').map(({ pem }) => {
      const privateKey = createPrivateKey(pem)
      const publicKey = createPublicKey(privateKey)
      const kid = createHash('sha1')
        .update(publicKey.export({ type: 'spki', format: 'der' }))
        .digest('base64url')
      return { kid, privateKey, publicKey }
    })
  }
}

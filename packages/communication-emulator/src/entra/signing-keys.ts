import { createPrivateKey, createPublicKey, generateKeyPair, hash } from 'node:crypto'
import { promisify } from 'node:util'
import { exportJWK, type JWK } from 'jose'
import type { Store } from '../store.ts'

export type SigningKeys = ReturnType<typeof createSigningKeys>

/**
 * Manages the keys that sign the tenant's tokens, newest first. Creates the first one on demand, because that is slow, and
 * stores it with the state. After a rotation, the previous key stays published to verify the tokens that it signed.
 */
export function createSigningKeys(store: Store) {
  let keys = read()
  let creating: Promise<void> | undefined

  async function getCurrent() {
    if (keys.length === 0) await (creating ??= rotate().finally(() => (creating = undefined)))
    return keys[0]!
  }

  function find(kid: string | undefined) {
    return keys.find((key) => key.kid === kid)
  }

  /** Returns the JSON Web Key Set. */
  async function publish(): Promise<{ keys: JWK[] }> {
    await getCurrent()
    const published = keys.map(async ({ kid, publicKey }) => ({
      ...(await exportJWK(publicKey)),
      kid,
      use: 'sig',
      alg: 'RS256',
    }))
    return { keys: await Promise.all(published) }
  }

  /** Creates a new current key and removes all but the previous one. */
  async function rotate(): Promise<void> {
    const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    store.transaction(() => {
      const { id } = store.run('INSERT INTO entra_signing_key (pem) VALUES (?)', pem)
      store.run('DELETE FROM entra_signing_key WHERE id < ?', id - 1)
    })
    keys = read()
  }

  function read() {
    return store.all<{ pem: string }>('SELECT pem FROM entra_signing_key ORDER BY id DESC').map(({ pem }) => {
      const privateKey = createPrivateKey(pem)
      const publicKey = createPublicKey(privateKey)
      const kid = hash('sha1', publicKey.export({ type: 'spki', format: 'der' }), 'base64url')
      return { kid, privateKey, publicKey }
    })
  }

  return { getCurrent, find, publish, rotate }
}

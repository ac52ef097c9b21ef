import { createLocalJWKSet, errors, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose'
import { ProblemError } from '../problem-error.ts'

type KeySet = ReturnType<typeof createLocalJWKSet>

const reloadAfterMs = 10 * 60_000
/** How long the last keys serve while the issuer is out. */
const staleAfterMs = 24 * 60 * 60_000
/** Unknown key ids may ask for one reload in this time: an attacker can make up any number of them. */
const unknownKeyCooldownMs = 5000
const fetchDeadlineMs = 5000

/**
 * The public keys of one issuer. They are loaded at the first use, renewed in the background, at once when a token names an
 * unknown one, and outlive an outage of the issuer.
 */
export class IssuerKeys {
  readonly #issuer: string
  readonly #now: () => number
  #jwksUri: string | undefined
  #keySet: KeySet | undefined
  #loadedAt = -Infinity
  #triedAt = -Infinity
  #searchedAt = -Infinity
  #search: Promise<KeySet> | undefined
  #loading: Promise<KeySet> | undefined

  constructor(issuer: string, jwksUri: string | undefined, now: () => number) {
    this.#issuer = issuer
    this.#jwksUri = jwksUri
    this.#now = now
  }

  /** Finds the key of a token, in the form that `jwtVerify` takes. Throws a `ProblemError` when it can't be asked for. */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput) {
    const keySet = await this.#current()
    try {
      return await keySet(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      const renewed = await this.#searchAgain()
      return renewed(header, token)
    }
  }

  /** All who meet an unknown key get what one reload found, for as long as none may follow. */
  #searchAgain(): Promise<KeySet> {
    const now = this.#now()
    if (this.#search && now - this.#searchedAt < unknownKeyCooldownMs) return this.#search
    this.#searchedAt = now
    return (this.#search = this.#load())
  }

  async #current(): Promise<KeySet> {
    const now = this.#now()
    const age = now - this.#loadedAt
    if (this.#keySet === undefined || age >= staleAfterMs) return this.#load()
    if (age >= reloadAfterMs && now - this.#triedAt >= unknownKeyCooldownMs) this.#load().catch(() => {})
    return this.#keySet
  }

  #load(): Promise<KeySet> {
    return (this.#loading ??= this.#fetchKeys().finally(() => (this.#loading = undefined)))
  }

  async #fetchKeys(): Promise<KeySet> {
    this.#triedAt = this.#now()
    try {
      this.#jwksUri ??= await this.#discover()
      const keySet = createLocalJWKSet((await fetchJson(this.#jwksUri)) as JSONWebKeySet)
      this.#keySet = keySet
      this.#loadedAt = this.#triedAt
      return keySet
    } catch (cause) {
      throw new ProblemError('sign-in-unavailable', `${this.#issuer} gives no keys.`, { cause, retryAfterMs: 5000 })
    }
  }

  async #discover(): Promise<string> {
    const url = `${this.#issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const { issuer, jwks_uri: jwksUri } = (await fetchJson(url)) as { issuer?: unknown; jwks_uri?: unknown }
    if (issuer !== this.#issuer) throw new Error(`the document at ${url} is another issuer's`)
    const isSecure = typeof jwksUri === 'string' && (jwksUri.startsWith('https:') || this.#issuer.startsWith('http:'))
    if (!isSecure) throw new Error(`the document at ${url} names no https address of keys`)
    return jwksUri
  }
}

async function fetchJson(url: string): Promise<unknown> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(fetchDeadlineMs) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return response.json()
}

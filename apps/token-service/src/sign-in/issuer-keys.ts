import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from 'jose'
import { ProblemError } from '../problem-error.ts'

type KeySet = ReturnType<typeof createLocalJWKSet>

/** Age at which a token waits for a reload: maximum time that a withdrawn key is accepted while the issuer responds. */
const reloadAfterMs = 10 * 60_000
/** Maximum age of the keys during an outage of the issuer. */
const staleAfterMs = 24 * 60 * 60_000
/** Pause after a failed reload, so that not every request waits for another one during an outage. */
const retryPauseMs = 5000
/** Unknown key ids may ask for one reload in this time: an attacker can make up any number of them. */
const unknownKeyCooldownMs = 5000
/** Maximum duration of a reload, discovery included. */
const loadDeadlineMs = 5000

/**
 * The public keys of one issuer. They are loaded at the first use, reloaded when they are old, at once when a token names an
 * unknown one, and outlive an outage of the issuer.
 */
export class IssuerKeys {
  readonly #issuer: string
  readonly #now: () => number
  readonly #jwksUri: string | undefined
  #keySet: KeySet | undefined
  #loadedAt = -Infinity
  #failedAt = -Infinity
  #searchedAt = -Infinity
  #search: Promise<KeySet> | undefined
  #loading: Promise<KeySet> | undefined

  constructor(issuer: string, jwksUri: string | undefined, now: () => number) {
    this.#issuer = issuer
    this.#jwksUri = jwksUri
    this.#now = now
  }

  /** Verifies a token as `jwtVerify` does. Rejects with its errors, or with a `ProblemError` if the keys cannot be loaded. */
  async verify(token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
    const keySet = await this.#current()
    try {
      return await verifyWith(keySet, token, options)
    } catch (error) {
      if (!isOfUnknownKey(error, token)) throw error
      return verifyWith(await this.#searchAgain(), token, options)
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
    const keySet = this.#keySet
    const age = now - this.#loadedAt
    if (keySet === undefined || age >= staleAfterMs) return this.#load()
    if (age < reloadAfterMs || now - this.#failedAt < retryPauseMs) return keySet
    return this.#load().catch(() => keySet)
  }

  /** Concurrent callers share one reload. */
  #load(): Promise<KeySet> {
    return (this.#loading ??= this.#fetchKeys().finally(() => (this.#loading = undefined)))
  }

  async #fetchKeys(): Promise<KeySet> {
    const startedAt = this.#now()
    const deadline = AbortSignal.timeout(loadDeadlineMs)
    try {
      // Discovered each time: the issuer may move its keys, and leave the old ones where they were.
      const jwksUri = this.#jwksUri ?? (await this.#discover(deadline))
      const keySet = createLocalJWKSet((await fetchJson(jwksUri, deadline)) as JSONWebKeySet)
      this.#keySet = keySet
      this.#loadedAt = startedAt
      return keySet
    } catch (cause) {
      this.#failedAt = this.#now()
      const detail = `Could not load the signing keys of ${this.#issuer}.`
      throw new ProblemError('sign-in-unavailable', detail, { cause, retryAfterMs: retryPauseMs })
    }
  }

  async #discover(deadline: AbortSignal): Promise<string> {
    const url = `${this.#issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const { issuer, jwks_uri: jwksUri } = (await fetchJson(url, deadline)) as { issuer?: unknown; jwks_uri?: unknown }
    if (issuer !== this.#issuer) throw unavailable(`The document at ${url} names another issuer.`)
    const isSecure = typeof jwksUri === 'string' && (jwksUri.startsWith('https:') || this.#issuer.startsWith('http:'))
    if (!isSecure) throw unavailable(`The document at ${url} lacks an https jwks_uri.`)
    return jwksUri
  }
}

/** Tries every matching key: issuers publish keys without `kid`, with the same `kid`, or twice. */
async function verifyWith(keySet: KeySet, token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, keySet, options)
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, options)
      } catch (mismatch) {
        if (!(mismatch instanceof errors.JWSSignatureVerificationFailed)) throw mismatch
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/** Without `kid`, an invalid signature may be that of a key which is not loaded yet. */
function isOfUnknownKey(error: unknown, token: string): boolean {
  if (error instanceof errors.JWKSNoMatchingKey) return true
  return error instanceof errors.JWSSignatureVerificationFailed && decodeProtectedHeader(token).kid === undefined
}

async function fetchJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { redirect: 'error', signal })
  if (!response.ok) throw unavailable(`${url} responded with status ${response.status}.`)
  return response.json()
}

/** A cause for the log. */
function unavailable(detail: string): ProblemError {
  return new ProblemError('sign-in-unavailable', detail)
}

import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from 'jose'
import { ProblemError } from '../problems/problem-error.ts'

type KeySet = ReturnType<typeof createLocalJWKSet>

/** Age from which a token waits for a reload: how long a withdrawn key is accepted while the issuer responds. */
const reloadAfterMs = 10 * 60_000
/** Maximum age of the keys during an outage of the issuer. */
const staleAfterMs = 24 * 60 * 60_000
/** Pause after a failed reload, so that not every request waits for one during an outage. */
const retryPauseMs = 5000
/** Minimum interval between reloads for unknown key ids, which an attacker can invent. */
const unknownKeyCooldownMs = 5000
/** Maximum duration of a reload, including discovery. */
const loadDeadlineMs = 5000

/**
 * Public keys of one issuer. Loads them at the first use, reloads them when they are old or a token names an unknown one, and
 * keeps them during an outage of the issuer.
 */
export class IssuerKeys {
  readonly #issuer: string
  readonly #now: () => number
  readonly #jwksUri: string | undefined
  #keySet: KeySet | undefined
  #loadedAt = -Infinity
  #failedAt = -Infinity
  #unknownKeyReloadAt = -Infinity
  #unknownKeyReload: Promise<KeySet> | undefined
  #loading: Promise<KeySet> | undefined

  constructor(issuer: string, jwksUri: string | undefined, now: () => number) {
    this.#issuer = issuer
    this.#jwksUri = jwksUri
    this.#now = now
  }

  /** Verifies a token as `jwtVerify` does. Rejects with its errors, or with a `ProblemError` if the keys cannot be loaded. */
  async verify(token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
    const keySet = await this.#getKeys()
    try {
      return await verifyWith(keySet, token, options)
    } catch (error) {
      if (!isKeyUnknown(error, token)) throw error
      return verifyWith(await this.#reloadForUnknownKey(), token, options)
    }
  }

  /** Tokens with unknown keys share one reload during the cooldown. */
  #reloadForUnknownKey(): Promise<KeySet> {
    const now = this.#now()
    if (this.#unknownKeyReload && now - this.#unknownKeyReloadAt < unknownKeyCooldownMs) return this.#unknownKeyReload
    this.#unknownKeyReloadAt = now
    return (this.#unknownKeyReload = this.#load())
  }

  async #getKeys(): Promise<KeySet> {
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
      // Discovered each time, because an issuer may move its keys and leave the old ones in place.
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
    if (issuer !== this.#issuer) throw unavailable(`${url} names another issuer.`)
    const isSecure = typeof jwksUri === 'string' && (jwksUri.startsWith('https:') || this.#issuer.startsWith('http:'))
    if (!isSecure) throw unavailable(`${url} lacks an https jwks_uri.`)
    return jwksUri
  }
}

/** Tries every matching key: issuers publish keys without `kid`, with equal `kid`, or twice. */
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

/** Without `kid`, an invalid signature may belong to a key that is not loaded yet. */
function isKeyUnknown(error: unknown, token: string): boolean {
  if (error instanceof errors.JWKSNoMatchingKey) return true
  return error instanceof errors.JWSSignatureVerificationFailed && decodeProtectedHeader(token).kid === undefined
}

async function fetchJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { redirect: 'error', signal })
  if (!response.ok) throw unavailable(`${url} responded with status ${response.status}.`)
  return response.json()
}

/** Cause, for the log. */
function unavailable(detail: string): ProblemError {
  return new ProblemError('sign-in-unavailable', detail)
}

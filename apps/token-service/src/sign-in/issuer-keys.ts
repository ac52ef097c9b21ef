import type { Issuer } from '@acs-kit/service-settings'
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
import { runStep } from '../steps.ts'

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
 * Returns a function that verifies a token of one issuer as `jwtVerify` does. It rejects with the same errors, or with a
 * `ProblemError` if the issuer's public keys cannot be loaded. Loads them at the first use, reloads them when they are old or a
 * token names an unknown one, and keeps them during an outage of the issuer.
 */
export function createIssuerKeys({ issuer, jwksUri: configuredUri }: Issuer, now: () => number) {
  let current: KeySet | undefined
  let loadedAt = -Infinity
  let failedAt = -Infinity
  let unknownKeyReloadAt = -Infinity
  let unknownKeyReload: Promise<KeySet> | undefined
  let loading: Promise<KeySet> | undefined

  /** Tokens with unknown keys share one reload during the cooldown. */
  function reloadForUnknownKey(): Promise<KeySet> {
    const time = now()
    if (unknownKeyReload && time - unknownKeyReloadAt < unknownKeyCooldownMs) return unknownKeyReload
    unknownKeyReloadAt = time
    return (unknownKeyReload = load())
  }

  async function getKeys(): Promise<KeySet> {
    const time = now()
    const keySet = current
    const age = time - loadedAt
    if (keySet === undefined || age >= staleAfterMs) return load()
    if (age < reloadAfterMs || time - failedAt < retryPauseMs) return keySet
    return load().catch(() => keySet)
  }

  /** Concurrent callers share one reload. */
  function load(): Promise<KeySet> {
    return (loading ??= runStep({ name: 'load signing keys', peer: 'sign-in issuer' }, fetchKeys).finally(
      () => (loading = undefined),
    ))
  }

  async function fetchKeys(): Promise<KeySet> {
    const startedAt = now()
    const deadline = AbortSignal.timeout(loadDeadlineMs)
    try {
      // Discovered each time, because an issuer may move its keys and leave the old ones in place.
      const jwksUri = configuredUri ?? (await discover(deadline))
      current = createLocalJWKSet((await fetchJson(jwksUri, deadline)) as JSONWebKeySet)
      loadedAt = startedAt
      return current
    } catch (cause) {
      failedAt = now()
      const detail = `Could not load the signing keys of ${issuer}.`
      throw new ProblemError('sign-in-unavailable', detail, { cause, retryAfterMs: retryPauseMs })
    }
  }

  async function discover(deadline: AbortSignal): Promise<string> {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const document = (await fetchJson(url, deadline)) as { readonly issuer?: unknown; readonly jwks_uri?: unknown }
    const { jwks_uri: jwksUri } = document
    if (document.issuer !== issuer) throw unavailable(`${url} names another issuer.`)
    const isSecure = typeof jwksUri === 'string' && (jwksUri.startsWith('https:') || issuer.startsWith('http:'))
    if (!isSecure) throw unavailable(`${url} lacks an https jwks_uri.`)
    return jwksUri
  }

  return async (token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult> => {
    const keySet = await getKeys()
    try {
      return await verifyWith(keySet, token, options)
    } catch (error) {
      if (!isKeyUnknown(error, token)) throw error
      return verifyWith(await reloadForUnknownKey(), token, options)
    }
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

/** Creates the cause of a failed load, which only the log contains. */
function unavailable(detail: string): ProblemError {
  return new ProblemError('sign-in-unavailable', detail)
}

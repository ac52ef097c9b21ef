import { hash } from 'node:crypto'
import type { Issuer } from '@acs-kit/service-settings'
import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose'
import { LRUCache } from 'lru-cache'
import { ProblemError } from '../problem-error.ts'
import { IssuerKeys } from './issuer-keys.ts'
import { toPrincipal, type Principal } from './principal.ts'

/** For clocks that are not quite the issuer's. */
const clockToleranceMs = 5000
const maxVerifiedTokens = 50_000

interface VerifiedToken {
  readonly principal: Principal
  readonly verifiedAt: number
  readonly notBefore: number
  readonly expiresAt: number
}

/** Verifies sign-in tokens: JWTs of the configured issuers. */
export class SignIn {
  readonly #issuers: ReadonlyMap<string, { readonly settings: Issuer; readonly keys: IssuerKeys }>
  readonly #now: () => number
  readonly #reuseMs: number
  /** By the hash of the header that they came in, so that no token stays in memory. */
  readonly #verified = new LRUCache<string, VerifiedToken>({ max: maxVerifiedTokens })

  /** A verified token is not verified anew within `reuseMs`: how long a key that its issuer withdrew may still count. */
  constructor(issuers: readonly Issuer[], { now, reuseMs }: { now: () => number; reuseMs: number }) {
    this.#now = now
    this.#reuseMs = reuseMs
    this.#issuers = new Map(
      issuers.map((settings) => [
        settings.issuer,
        { settings, keys: new IssuerKeys(settings.issuer, settings.jwksUri, now) },
      ]),
    )
  }

  /** The user of an `Authorization` header. Throws a `ProblemError`. */
  authenticate(authorization: string | undefined): Principal | Promise<Principal> {
    if (!authorization) throw new ProblemError('token-missing', 'Send Authorization: Bearer and a sign-in token.')
    const key = hash('sha256', authorization, 'base64')
    const known = this.#verified.get(key)
    const now = this.#now()
    if (known !== undefined && now - known.verifiedAt < this.#reuseMs && now >= known.notBefore) {
      if (now < known.expiresAt) return known.principal
      throw new ProblemError('token-expired', 'Sign in again, or refresh the token.')
    }
    const token = /^Bearer +([\w-]+\.[\w-]*\.[\w-]*)$/i.exec(authorization)?.[1]
    if (token === undefined) throw new ProblemError('token-invalid', 'Authorization must read Bearer and a JWT.')
    return this.#verify(token, key, now)
  }

  async #verify(token: string, key: string, now: number): Promise<Principal> {
    const issuer = this.#issuerOf(token)
    const { settings, keys } = issuer
    const payload = await verifySignature(token, settings, keys, now)
    const principal = toPrincipal(payload, settings)
    this.#verified.set(key, {
      principal,
      verifiedAt: now,
      notBefore: (payload.nbf ?? 0) * 1000 - clockToleranceMs,
      expiresAt: payload.exp! * 1000 + clockToleranceMs,
    })
    return principal
  }

  #issuerOf(token: string) {
    let claimed: unknown
    try {
      claimed = decodeJwt(token).iss
    } catch {
      throw new ProblemError('token-invalid', 'It is no JWT.')
    }
    const issuer = typeof claimed === 'string' ? this.#issuers.get(claimed) : undefined
    if (issuer) return issuer
    throw new ProblemError('token-invalid', 'Its issuer is none that this service trusts.')
  }
}

async function verifySignature(
  token: string,
  { issuer, audience, algorithms = ['RS256'] }: Issuer,
  keys: IssuerKeys,
  now: number,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, (header, input) => keys.find(header, input), {
      issuer,
      audience,
      algorithms,
      requiredClaims: ['exp'],
      currentDate: new Date(now),
      clockTolerance: clockToleranceMs / 1000,
    })
    return payload
  } catch (error) {
    throw toProblem(error, audience)
  }
}

function toProblem(error: unknown, audience: string): unknown {
  if (error instanceof errors.JWTExpired) {
    return new ProblemError('token-expired', 'Sign in again, or refresh the token.')
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf' && error.reason === 'check_failed') {
      return new ProblemError('token-not-yet-valid', 'Its nbf lies in the future; is a clock wrong?')
    }
    if (error.claim === 'aud') return new ProblemError('token-invalid', `It is not for the audience ${audience}.`)
    return new ProblemError('token-invalid', `Its claim ${error.claim} is missing or wrong.`)
  }
  if (error instanceof errors.JOSEAlgNotAllowed)
    return new ProblemError('token-invalid', 'Its algorithm is not allowed.')
  if (error instanceof errors.JWKSNoMatchingKey) return new ProblemError('token-invalid', 'Its issuer has no such key.')
  if (error instanceof errors.JOSEError) return new ProblemError('token-invalid', 'Its signature or form is not valid.')
  return error
}

import { hash } from 'node:crypto'
import type { Issuer } from '@acs-kit/service-settings'
import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose'
import { LRUCache } from 'lru-cache'
import { ProblemError } from '../problem-error.ts'
import { IssuerKeys } from './issuer-keys.ts'
import { toPrincipal, type Principal } from './principal.ts'

/** For clocks that are not quite the issuer's. */
const clockToleranceSeconds = 5
const maxVerifiedTokens = 50_000

/** Times in seconds since 1970: whole ones are no objects of their own, and there may be many of these. */
interface VerifiedPrincipal extends Principal {
  readonly verifiedAt: number
  readonly notBefore: number
  readonly expiresAt: number
}

/** Verifies sign-in tokens: JWTs of the configured issuers. */
export class SignIn {
  readonly #issuers: ReadonlyMap<string, { readonly settings: Issuer; readonly keys: IssuerKeys }>
  readonly #now: () => number
  readonly #reuseSeconds: number
  /** By the hash of the header that they came in, so that no token stays in memory. */
  readonly #verified = new LRUCache<string, VerifiedPrincipal>({ max: maxVerifiedTokens })

  /** A verified token is not verified anew within `reuseMs`: how long a key that its issuer withdrew may still count. */
  constructor(issuers: readonly Issuer[], { now, reuseMs }: { now: () => number; reuseMs: number }) {
    this.#now = now
    this.#reuseSeconds = reuseMs / 1000
    this.#issuers = new Map(
      issuers.map((settings) => [
        settings.issuer,
        { settings, keys: new IssuerKeys(settings.issuer, settings.jwksUri, now) },
      ]),
    )
  }

  /** The user of an `Authorization` header that was verified lately. */
  recall(authorization: string | undefined): Principal | undefined {
    const known = this.#verified.get(keyOf(authorization))
    const now = this.#now() / 1000
    const isGood =
      known !== undefined &&
      now - known.verifiedAt < this.#reuseSeconds &&
      now >= known.notBefore &&
      now < known.expiresAt
    return isGood ? known : undefined
  }

  /** The user of an `Authorization` header. Rejects with a `ProblemError`. */
  async verify(authorization: string | undefined): Promise<Principal> {
    if (!authorization) throw new ProblemError('token-missing', 'Send Authorization: Bearer and a sign-in token.')
    const token = /^Bearer +([\w-]+\.[\w-]*\.[\w-]*)$/i.exec(authorization)?.[1]
    if (token === undefined) throw new ProblemError('token-invalid', 'Authorization must read Bearer and a JWT.')
    const now = this.#now() / 1000
    const { settings, keys } = this.#issuerOf(token)
    const payload = await verifySignature(token, settings, keys, now)
    const principal = toPrincipal(payload, settings)
    this.#verified.set(keyOf(authorization), {
      ...principal,
      verifiedAt: Math.floor(now),
      notBefore: Math.floor(payload.nbf ?? 0) - clockToleranceSeconds,
      expiresAt: Math.floor(payload.exp!) + clockToleranceSeconds,
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

function keyOf(authorization = ''): string {
  return hash('sha256', authorization, 'base64')
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
      currentDate: new Date(now * 1000),
      clockTolerance: clockToleranceSeconds,
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

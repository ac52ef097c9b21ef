import { hash } from 'node:crypto'
import type { Issuer } from '@acs-kit/service-settings'
import { decodeJwt, errors, type JWTVerifyResult } from 'jose'
import { LRUCache } from 'lru-cache'
import { ProblemError } from '../problem-error.ts'
import { IssuerKeys } from './issuer-keys.ts'
import { rejectSigned, toPrincipal, type Principal } from './principal.ts'

/** For clocks that are not quite the issuer's. */
const clockToleranceSeconds = 5
const maxVerifiedTokens = 50_000
/** Enough for as many ordinary tokens; fewer with long claims fit. */
const maxVerifiedBytes = 32 * 1024 * 1024
/** Estimated memory of an entry without the text of its claims, and of each of its roles. */
const entryBytes = 512
const roleBytes = 32
/** Maximum length of a foreign `iss` in a message. */
const maxShownIssuer = 200
/** Types of access tokens (RFC 7519, RFC 9068). Issuers sign other tokens with the same keys, such as logout tokens. */
const tokenTypes = /^(?:application\/)?(?:at\+)?jwt$/i

/** Times in seconds since 1970: whole ones are no objects of their own, and there may be many of these. */
export interface VerifiedPrincipal extends Principal {
  /** Hash of the token, so that no token stays in memory. */
  readonly tokenKey: string
  readonly verifiedAt: number
  readonly notBefore: number
  readonly expiresAt: number
}

/** Verifies sign-in tokens: JWTs of the configured issuers. */
export class SignIn {
  readonly #issuers: ReadonlyMap<string, { readonly settings: Issuer; readonly keys: IssuerKeys }>
  readonly #now: () => number
  readonly #reuseSeconds: number
  readonly #verified = new LRUCache<string, VerifiedPrincipal>({
    max: maxVerifiedTokens,
    maxSize: maxVerifiedBytes,
    sizeCalculation: estimateBytes,
  })

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

  /** The user of an `Authorization` header whose token was verified lately and kept. */
  recall(authorization: string | undefined): VerifiedPrincipal | undefined {
    const token = bearerToken(authorization)
    const known = token === undefined ? undefined : this.#verified.get(keyOf(token))
    const now = this.#now() / 1000
    const isGood =
      known !== undefined &&
      now - known.verifiedAt < this.#reuseSeconds &&
      now >= known.notBefore &&
      now < known.expiresAt
    return isGood ? known : undefined
  }

  /** The user of an `Authorization` header. Rejects with a `ProblemError`. */
  async verify(authorization: string | undefined): Promise<VerifiedPrincipal> {
    if (!authorization) throw new ProblemError('token-missing', 'Send Authorization: Bearer and a sign-in token.')
    const token = bearerToken(authorization)
    if (token === undefined || !/^[\w-]+\.[\w-]*\.[\w-]*$/.test(token)) {
      throw new ProblemError('token-invalid', 'Authorization must read Bearer and a JWT.')
    }
    if (!token.split('.').every(isBase64Url)) throw new ProblemError('token-invalid', 'The token is not a JWT.')
    const now = this.#now() / 1000
    const { settings, keys } = this.#issuerOf(token)
    const { payload, protectedHeader } = await verifySignature(token, settings, keys, now)
    const { typ } = protectedHeader
    if (typ !== undefined && !(typeof typ === 'string' && tokenTypes.test(typ))) {
      throw rejectSigned('token-invalid', 'The token has a type (typ) other than JWT or at+jwt: send an access token.')
    }
    return {
      ...toPrincipal(payload, settings),
      tokenKey: keyOf(token),
      verifiedAt: Math.floor(now),
      notBefore: Math.floor(payload.nbf ?? 0) - clockToleranceSeconds,
      expiresAt: Math.floor(payload.exp!) + clockToleranceSeconds,
    }
  }

  /** Keeps a verified user for `recall`. Call it after the user's rate limit, which bounds what one user can store. */
  keep(principal: VerifiedPrincipal): void {
    if (this.#verified.peek(principal.tokenKey) !== principal) this.#verified.set(principal.tokenKey, principal)
  }

  #issuerOf(token: string) {
    let claimed: unknown
    try {
      claimed = decodeJwt(token).iss
    } catch {
      throw new ProblemError('token-invalid', 'The token is not a JWT.')
    }
    const issuer = typeof claimed === 'string' ? this.#issuers.get(claimed) : undefined
    if (issuer) return issuer
    const tokenIssuer = typeof claimed === 'string' ? toShownIssuer(claimed) : 'missing'
    const trustedIssuers = [...this.#issuers.keys()]
    throw new ProblemError(
      'token-invalid',
      `Untrusted token issuer (iss): ${tokenIssuer}. Trusted issuers: ${trustedIssuers.join(', ')}.`,
      { logFields: { tokenIssuer, trustedIssuers } },
    )
  }
}

/** Token of the header, without the scheme: however that is spelled, the token has one cache key. */
function bearerToken(authorization = ''): string | undefined {
  const scheme = /^bearer +/i.exec(authorization)?.[0]
  return scheme === undefined ? undefined : authorization.slice(scheme.length)
}

function keyOf(token: string): string {
  return hash('sha256', token, 'base64')
}

function estimateBytes({ subject, roles }: VerifiedPrincipal): number {
  return entryBytes + 2 * subject.length + roles.reduce((bytes, role) => bytes + roleBytes + 2 * role.length, 0)
}

/** Whether the text is the one encoding of its bytes: unused bits at the end would give a token several spellings. */
function isBase64Url(text: string): boolean {
  return Buffer.from(text, 'base64url').toString('base64url') === text
}

/** A foreign issuer for a log and a detail, without what may be secret in a URL. */
function toShownIssuer(issuer: string): string {
  const url = URL.parse(issuer)
  const shown = url ? `${url.protocol}//${url.host}${url.pathname}` : issuer.replace(/[?#@][^]*/, '')
  return shown.slice(0, maxShownIssuer)
}

async function verifySignature(
  token: string,
  { issuer, audience, algorithms = ['RS256'] }: Issuer,
  keys: IssuerKeys,
  now: number,
): Promise<JWTVerifyResult> {
  try {
    return await keys.verify(token, {
      issuer,
      audience,
      algorithms,
      requiredClaims: ['exp'],
      currentDate: new Date(now * 1000),
      clockTolerance: clockToleranceSeconds,
    })
  } catch (error) {
    throw toProblem(error, [audience].flat())
  }
}

function toProblem(error: unknown, audiences: readonly string[]): unknown {
  // jose checks the claims only after the signature.
  if (error instanceof errors.JWTExpired) return rejectSigned('token-expired', 'Sign in again, or refresh the token.')
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf' && error.reason === 'check_failed') {
      return rejectSigned('token-not-yet-valid', 'The token starts in the future (nbf): check the clocks.')
    }
    if (error.claim === 'aud') {
      return rejectSigned('token-invalid', `The token is not for the audience (aud) ${audiences.join(' or ')}.`)
    }
    return rejectSigned('token-invalid', `The token's claim ${error.claim} is missing or invalid.`)
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new ProblemError('token-invalid', 'The algorithm of the token is not allowed.')
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return new ProblemError('token-invalid', 'The key of the token (kid) is not among the keys of its issuer.')
  }
  if (error instanceof errors.JOSEError) {
    return new ProblemError('token-invalid', 'The signature or form of the token is invalid.')
  }
  return error
}

import { hash } from 'node:crypto'
import type { Issuer, Settings } from '@acs-kit/service-settings'
import { decodeJwt, errors, type JWTVerifyResult } from 'jose'
import { LRUCache } from 'lru-cache'
import { ProblemError } from '../problems/problem-error.ts'
import { createIssuerKeys } from './issuer-keys.ts'
import { rejectSigned, toPrincipal, type Principal } from './principal.ts'

/** Tolerates differences between the clocks of issuer and service. */
const clockToleranceSeconds = 5
const maxVerifiedTokens = 50_000
/** Maximum memory of verified tokens. Fewer than the maximum number fit if their claims are long. */
const maxVerifiedBytes = 32 * 1024 * 1024
/** Estimated memory of an entry and of each role, without the text of the claims. */
const entryBytes = 512
const roleBytes = 32
/** Maximum length of an untrusted `iss` in a message. */
const maxIssuerLength = 200
/** Types of access tokens (RFC 7519, RFC 9068). Issuers also sign other tokens, such as logout tokens, with the same keys. */
const tokenTypes = /^(?:application\/)?(?:at\+)?jwt$/i

/** A verified user. Times are whole seconds since 1970: there may be many entries, and fractions take more memory. */
export interface VerifiedPrincipal extends Principal {
  /** Hash of the token, which itself does not stay in memory. */
  readonly tokenKey: string
  readonly verifiedAt: number
  readonly notBefore: number
  readonly expiresAt: number
}

interface TrustedIssuer extends Issuer {
  readonly verify: ReturnType<typeof createIssuerKeys>
}

export type SignIn = ReturnType<typeof createSignIn>

/** Verifies sign-in tokens: JWTs of the trusted issuers. */
export function createSignIn(settings: Settings, now: () => number) {
  const issuers = new Map<unknown, TrustedIssuer>(
    settings.SIGN_IN_ISSUERS.map((issuer) => [issuer.issuer, { ...issuer, verify: createIssuerKeys(issuer, now) }]),
  )
  /** Maximum age of a reused verification, which is also how long a key that its issuer withdrew is accepted. */
  const reuseSeconds = settings.REVOCATION_BOUND_SECONDS
  const verified = new LRUCache<string, VerifiedPrincipal>({
    max: maxVerifiedTokens,
    maxSize: maxVerifiedBytes,
    sizeCalculation: estimateBytes,
  })

  /** Returns the user of an `Authorization` header whose token was verified recently. */
  function getVerified(authorization: string | undefined): VerifiedPrincipal | undefined {
    const token = getBearerToken(authorization)
    const known = token === undefined ? undefined : verified.get(hashToken(token))
    const time = now() / 1000
    const isValid =
      known !== undefined && time - known.verifiedAt < reuseSeconds && time >= known.notBefore && time < known.expiresAt
    return isValid ? known : undefined
  }

  /** Verifies the token of an `Authorization` header and returns its user. Rejects with a `ProblemError`. */
  async function verify(authorization: string | undefined): Promise<VerifiedPrincipal> {
    if (!authorization) {
      throw new ProblemError('token-missing', 'Send the header Authorization: Bearer <sign-in token>.')
    }
    const token = getBearerToken(authorization)
    if (token === undefined || !/^[\w-]+\.[\w-]*\.[\w-]*$/.test(token)) {
      throw new ProblemError('token-invalid', 'The header Authorization is invalid: it must be Bearer <JWT>.')
    }
    if (!token.split('.').every(isCanonicalBase64Url)) {
      throw new ProblemError('token-invalid', 'The token is not a JWT. Send an access token of a trusted issuer.')
    }
    const time = now()
    const issuer = findIssuer(token)
    const { payload, protectedHeader } = await verifySignature(token, issuer, new Date(time))
    const { typ } = protectedHeader
    if (typ !== undefined && !(typeof typ === 'string' && tokenTypes.test(typ))) {
      throw rejectSigned('token-invalid', 'The type (typ) of the token is not JWT or at+jwt. Send an access token.')
    }
    return {
      ...toPrincipal(payload, issuer),
      tokenKey: hashToken(token),
      verifiedAt: Math.floor(time / 1000),
      notBefore: Math.floor(payload.nbf ?? 0) - clockToleranceSeconds,
      expiresAt: Math.floor(payload.exp!) + clockToleranceSeconds,
    }
  }

  /** Caches a verified user. Call it after the user's rate limit, which bounds the memory that one user can fill. */
  function addVerified(principal: VerifiedPrincipal): void {
    if (verified.peek(principal.tokenKey) !== principal) verified.set(principal.tokenKey, principal)
  }

  function findIssuer(token: string) {
    let claimed: unknown
    try {
      claimed = decodeJwt(token).iss
    } catch {
      throw new ProblemError('token-invalid', 'The token is not a JWT. Send an access token of a trusted issuer.')
    }
    const issuer = issuers.get(claimed)
    if (issuer) return issuer
    const tokenIssuer = typeof claimed === 'string' ? toDisplayIssuer(claimed) : 'missing'
    const trustedIssuers = [...issuers.keys()]
    throw new ProblemError(
      'token-invalid',
      `Untrusted token issuer (iss): ${tokenIssuer}. Trusted issuers: ${trustedIssuers.join(', ')}.`,
      { logFields: { tokenIssuer, trustedIssuers } },
    )
  }

  return { getVerified, verify, addVerified }
}

/** Returns the token without the scheme, whose spelling must not lead to several cache keys. */
function getBearerToken(authorization = ''): string | undefined {
  const scheme = /^bearer +/i.exec(authorization)?.[0]
  return scheme === undefined ? undefined : authorization.slice(scheme.length)
}

function hashToken(token: string): string {
  return hash('sha256', token, 'base64')
}

function estimateBytes({ subject, roles }: VerifiedPrincipal): number {
  return entryBytes + 2 * subject.length + roles.reduce((bytes, role) => bytes + roleBytes + 2 * role.length, 0)
}

/** Returns whether the encoding is canonical: unused bits at the end would give a token several spellings. */
function isCanonicalBase64Url(text: string): boolean {
  return Buffer.from(text, 'base64url').toString('base64url') === text
}

/** Returns the issuer without the parts of a URL that may be secret. */
function toDisplayIssuer(issuer: string): string {
  const url = URL.parse(issuer)
  const text = url ? `${url.protocol}//${url.host}${url.pathname}` : issuer.replace(/[?#@][^]*/, '')
  return text.slice(0, maxIssuerLength)
}

async function verifySignature(token: string, issuer: TrustedIssuer, currentDate: Date): Promise<JWTVerifyResult> {
  const { audience, algorithms = ['RS256'] } = issuer
  const requirements = { issuer: issuer.issuer, audience, algorithms, requiredClaims: ['exp'] }
  try {
    return await issuer.verify(token, { ...requirements, currentDate, clockTolerance: clockToleranceSeconds })
  } catch (error) {
    throw toProblem(error, [audience].flat())
  }
}

function toProblem(error: unknown, audiences: readonly string[]): unknown {
  // jose checks claims only after the signature.
  if (error instanceof errors.JWTExpired)
    return rejectSigned('token-expired', 'The token has expired (exp). Sign in again or refresh it.')
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf' && error.reason === 'check_failed') {
      return rejectSigned('token-not-yet-valid', 'The token is not valid yet (nbf). Check the clocks.')
    }
    if (error.claim === 'aud') {
      return rejectSigned(
        'token-invalid',
        `The token is not for the audience (aud) ${audiences.join(' or ')}. Request one for this service.`,
      )
    }
    return rejectSigned(
      'token-invalid',
      `The claim ${error.claim} of the token is missing or invalid. Send an access token of the issuer.`,
    )
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new ProblemError(
      'token-invalid',
      'The algorithm of the token is not allowed. Sign tokens with one that SIGN_IN_ISSUERS allows.',
    )
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return new ProblemError(
      'token-invalid',
      'The key of the token (kid) is not among the keys of its issuer. Sign in again.',
    )
  }
  if (error instanceof errors.JOSEError) {
    return new ProblemError(
      'token-invalid',
      'The signature or form of the token is invalid. Send it exactly as the issuer returned it.',
    )
  }
  return error
}

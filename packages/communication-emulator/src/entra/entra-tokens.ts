import { randomUUID } from 'node:crypto'
import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import type { Clock } from '../clock.ts'
import type { SigningKeys } from './signing-keys.ts'
import { toPairwiseSubject, toServicePrincipalId, toUser, wellKnownTenantId } from './tenant.ts'

/** Permission that a user gave to a client; a refresh token contains it. */
export interface Delegation {
  readonly user: string
  readonly clientId: string
  /** App roles, for `roles`. */
  readonly roles: readonly string[]
}

export interface AccessTokenOptions {
  readonly audience: string
  readonly permissions: readonly string[]
  /** Default 60. */
  readonly lifetimeMinutes?: number | undefined
}

const refreshLifetimeMinutes = 24 * 60

/** Error for a token that is invalid, or not for this audience; the message gives the reason. */
export class EntraTokenError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export type EntraTokens = ReturnType<typeof createEntraTokens>

/**
 * Issues and verifies the directory's tokens, in the format of Entra ID's v2.0, or v1.0 for Azure Storage. `issuer` returns the issuer
 * under the name that the current request used, `issuers` those under all names.
 */
export function createEntraTokens(keys: SigningKeys, clock: Clock, issuer: () => string, issuers: () => string[]) {
  /** Issues an access token to a client that acts for a user. */
  function issueForUser(delegation: Delegation, { audience, permissions, lifetimeMinutes }: AccessTokenOptions) {
    const { clientId } = delegation
    const user = toUserClaims(delegation, audience)
    // Entra ID uses `appid` in version 1.0 and `azp` in 2.0.
    const claims = { appid: clientId, azp: clientId, ...user, scp: permissions.join(' ') }
    return issueAccessToken(claims, lifetimeMinutes)
  }

  /** Issues an access token to an application or managed identity itself. */
  function issueForApplication(clientId: string, audience: string) {
    const oid = toServicePrincipalId(clientId)
    return issueAccessToken({ appid: clientId, azp: clientId, idtyp: 'app', oid, sub: oid, aud: audience })
  }

  async function issueIdToken(delegation: Delegation, nonce: string | undefined): Promise<string> {
    const claims = toUserClaims(delegation, delegation.clientId)
    return (await sign({ ...claims, ...(nonce !== undefined && { nonce }) })).token
  }

  async function issueRefreshToken(delegation: Delegation): Promise<string> {
    // Valid at any earlier time, so that moving the clock back signs no user out.
    const claims = { ...delegation, aud: toRefreshAudience(issuer()), sub: toUser(delegation.user).oid, nbf: 0 }
    return (await sign(claims, refreshLifetimeMinutes)).token
  }

  /** Throws an `EntraTokenError`. */
  async function verifyRefreshToken(token: string): Promise<Delegation> {
    const { user, clientId, roles } = (await verify(token, issuers().map(toRefreshAudience))) as unknown as Delegation
    return { user, clientId, roles }
  }

  /** Returns the claims of a token for one of the audiences. Throws an `EntraTokenError`. */
  async function verify(token: string, audiences: readonly string[]): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => getPublicKey(kid), {
        issuer: issuers(),
        audience: [...audiences],
        algorithms: ['RS256'],
        currentDate: new Date(clock.now()),
        requiredClaims: ['exp'],
      })
      return payload
    } catch (error) {
      throw toTokenError(error, audiences)
    }
  }

  function getPublicKey(kid: string | undefined) {
    const key = keys.find(kid)
    if (!key) throw new EntraTokenError('TokenSignature', 'The token was not signed by the sign-in emulation.')
    return key.publicKey
  }

  // differs(audience)
  function issueAccessToken(claims: JWTPayload, lifetimeMinutes?: number) {
    return sign({ ...claims, uti: randomUUID() }, lifetimeMinutes)
  }

  async function sign(claims: JWTPayload, lifetimeMinutes = 60) {
    const { kid, privateKey } = await keys.getCurrent()
    const version = getVersion(claims.aud)
    const isForStorage = version === '1.0'
    const iss = isForStorage ? `https://sts.windows.net/${wellKnownTenantId}/` : issuer()
    // Azurite uses the machine's clock.
    const now = isForStorage ? clock.now() - clock.offset : clock.now()
    const iat = Math.floor(now / 1000)
    const lifetimeSeconds = Math.round(lifetimeMinutes * 60)
    const exp = iat + lifetimeSeconds
    const common = { iss, iat, nbf: iat, exp, tid: wellKnownTenantId, ver: version }
    const token = await new SignJWT({ ...common, ...claims })
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid })
      .sign(privateKey)
    return { token, lifetimeSeconds, expiresOn: new Date(exp * 1000) }
  }

  return { issueForUser, issueForApplication, issueIdToken, issueRefreshToken, verifyRefreshToken, verify }
}

function toRefreshAudience(issuer: string): string {
  return `${issuer}/refresh`
}

function toUserClaims({ user: name, roles }: Delegation, audience: string): JWTPayload {
  const user = toUser(name)
  const sub = toPairwiseSubject(user.oid, audience)
  return { ...user, sub, ...(roles.length > 0 && { roles }), aud: audience }
}

/** Returns the token version of an audience. Azure Storage and Azurite expect 1.0; Azurite checks only the issuer. */
function getVersion(audience: JWTPayload['aud']): '1.0' | '2.0' {
  const storage = /^https:\/\/(?:storage\.azure\.com|[a-z\d]+\.table\.core\.windows\.net)\/?$/
  return storage.test(String(audience)) ? '1.0' : '2.0'
}

function toTokenError(error: unknown, audiences: readonly string[]): EntraTokenError {
  if (error instanceof EntraTokenError) return error
  if (error instanceof errors.JWTExpired) return new EntraTokenError('TokenExpired', 'The token has expired.')
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') {
      return new EntraTokenError('TokenAudience', `The token's audience must be ${audiences.join(' or ')}.`)
    }
    if (error.claim === 'iss') return new EntraTokenError('TokenIssuer', 'The token is from another issuer or tenant.')
    return new EntraTokenError('TokenClaims', `The token's claim ${error.claim} is missing or invalid.`)
  }
  return new EntraTokenError('TokenSignature', 'The token is not a JWT signed by the sign-in emulation.')
}

import { randomUUID } from 'node:crypto'
import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import type { Clock } from '../clock.ts'
import type { SigningKeys } from './signing-keys.ts'
import { toPairwiseSubject, toServicePrincipalId, toUser, wellKnownTenantId } from './tenant.ts'

/** A user's permission to a client, which a refresh token contains. */
export interface Delegation {
  readonly user: string
  readonly clientId: string
  /** App roles, for `roles`. */
  readonly roles: readonly string[]
}

export interface AccessTokenOptions {
  readonly audience: string
  readonly permissions: readonly string[]
  readonly lifetimeMinutes?: number
}

const defaultLifetimeMinutes = 60
const refreshLifetimeMinutes = 24 * 60

/** Error for a token that is invalid, or not for this audience; the message gives the reason. */
export class EntraTokenError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Issues and verifies the directory's tokens, in the format of Entra ID's v2.0, or v1.0 for Azure Storage. */
export class EntraTokens {
  readonly #keys: SigningKeys
  readonly #clock: Clock
  readonly #issuer: () => string

  constructor(keys: SigningKeys, clock: Clock, issuer: () => string) {
    this.#keys = keys
    this.#clock = clock
    this.#issuer = issuer
  }

  /** Issues an access token to a client of a user. */
  issueForUser({ user, clientId, roles }: Delegation, options: AccessTokenOptions) {
    const { name, oid, preferredUsername } = toUser(user)
    return this.#issueAccessToken(options, {
      // Entra ID has `appid` in version 1.0 and `azp` in 2.0.
      appid: clientId,
      azp: clientId,
      name,
      oid,
      preferred_username: preferredUsername,
      sub: toPairwiseSubject(oid, options.audience),
      scp: options.permissions.join(' '),
      ...(roles.length > 0 && { roles }),
    })
  }

  /** Issues an access token to an application or managed identity itself. */
  issueForApplication(clientId: string, audience: string) {
    const oid = toServicePrincipalId(clientId)
    const claims = { appid: clientId, azp: clientId, idtyp: 'app', oid, sub: oid }
    return this.#issueAccessToken({ audience, permissions: [] }, claims)
  }

  async issueIdToken({ user, clientId, roles }: Delegation, nonce: string | undefined): Promise<string> {
    const { name, oid, preferredUsername } = toUser(user)
    const claims = { name, oid, preferred_username: preferredUsername, sub: toPairwiseSubject(oid, clientId) }
    const optional = { ...(roles.length > 0 && { roles }), ...(nonce !== undefined && { nonce }) }
    return (await this.#sign({ ...claims, ...optional, aud: clientId }, defaultLifetimeMinutes)).token
  }

  async issueRefreshToken(delegation: Delegation): Promise<string> {
    // Valid at any earlier time, so that moving the clock back signs no user out.
    const claims = { ...delegation, aud: this.#refreshAudience, sub: toUser(delegation.user).oid, nbf: 0 }
    return (await this.#sign(claims, refreshLifetimeMinutes)).token
  }

  /** Throws an `EntraTokenError`. */
  async verifyRefreshToken(token: string): Promise<Delegation> {
    const { user, clientId, roles } = (await this.verify(token, [this.#refreshAudience])) as unknown as Delegation
    return { user, clientId, roles }
  }

  /** Returns the claims of a token for one of the audiences. Throws an `EntraTokenError`. */
  async verify(token: string, audiences: readonly string[]): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.#getPublicKey(kid), {
        issuer: this.#issuer(),
        audience: [...audiences],
        algorithms: ['RS256'],
        currentDate: new Date(this.#clock.now()),
        requiredClaims: ['exp'],
      })
      return payload
    } catch (error) {
      throw toTokenError(error, audiences)
    }
  }

  get #refreshAudience(): string {
    return `${this.#issuer()}/refresh`
  }

  #getPublicKey(kid: string | undefined) {
    const key = this.#keys.find(kid)
    if (!key) throw new EntraTokenError('TokenSignature', 'The token was not signed by the sign-in emulation.')
    return key.publicKey
  }

  // differs(audience)
  #issueAccessToken({ audience, lifetimeMinutes = defaultLifetimeMinutes }: AccessTokenOptions, claims: JWTPayload) {
    return this.#sign({ ...claims, aud: audience, uti: randomUUID() }, lifetimeMinutes)
  }

  async #sign(claims: JWTPayload, lifetimeMinutes: number) {
    const { kid, privateKey } = await this.#keys.getCurrent()
    const version = getVersion(claims.aud)
    const isForStorage = version === '1.0'
    const iss = isForStorage ? `https://sts.windows.net/${wellKnownTenantId}/` : this.#issuer()
    // Azurite uses the machine's clock.
    const now = isForStorage ? this.#clock.now() - this.#clock.offset : this.#clock.now()
    const iat = Math.floor(now / 1000)
    const lifetimeSeconds = Math.round(lifetimeMinutes * 60)
    const exp = iat + lifetimeSeconds
    const common = { iss, iat, nbf: iat, exp, tid: wellKnownTenantId, ver: version }
    const token = await new SignJWT({ ...common, ...claims })
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid })
      .sign(privateKey)
    return { token, lifetimeSeconds, expiresOn: new Date(exp * 1000) }
  }
}

/** Returns the token version of an audience. Azure Storage takes 1.0. So does Azurite, which checks the issuer only. */
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

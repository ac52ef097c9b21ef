import { randomUUID } from 'node:crypto'
import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import type { Clock } from '../clock.ts'
import type { SigningKeys } from './signing-keys.ts'
import { pairwiseSubject, servicePrincipalOf, userOf, wellKnownTenantId } from './tenant.ts'

/** A person's permission to a client: what a refresh token stands for. */
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

/** A token that this directory did not sign, or not for this; the message says which. */
export class EntraTokenError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Mints and verifies the directory's tokens, in the form of Entra ID's v2.0, and of v1.0 for Azure Storage. Times are the emulator's clock's. */
export class EntraTokens {
  readonly #keys: SigningKeys
  readonly #clock: Clock
  readonly #issuer: () => string

  constructor(keys: SigningKeys, clock: Clock, issuer: () => string) {
    this.#keys = keys
    this.#clock = clock
    this.#issuer = issuer
  }

  /** For a signed-in person. */
  delegated({ user, clientId, roles }: Delegation, options: AccessTokenOptions) {
    const { name, oid, preferredUsername } = userOf(user)
    return this.#access(options, {
      // Both names: version 1 of Entra ID's tokens had the first, version 2 has the second.
      appid: clientId,
      azp: clientId,
      name,
      oid,
      preferred_username: preferredUsername,
      sub: pairwiseSubject(oid, options.audience),
      scp: options.permissions.join(' '),
      ...(roles.length > 0 && { roles }),
    })
  }

  /** For an application or managed identity itself. */
  application(clientId: string, audience: string) {
    const oid = servicePrincipalOf(clientId)
    return this.#access({ audience, permissions: [] }, { appid: clientId, azp: clientId, idtyp: 'app', oid, sub: oid })
  }

  async id({ user, clientId, roles }: Delegation, nonce: string | undefined): Promise<string> {
    const { name, oid, preferredUsername } = userOf(user)
    const claims = { name, oid, preferred_username: preferredUsername, sub: pairwiseSubject(oid, clientId) }
    const optional = { ...(roles.length > 0 && { roles }), ...(nonce !== undefined && { nonce }) }
    return (await this.#sign({ ...claims, ...optional, aud: clientId }, defaultLifetimeMinutes)).token
  }

  /** Opaque to clients; it holds what it stands for. */
  async refresh(delegation: Delegation): Promise<string> {
    // Valid from the beginning, so that moving the clock back signs nobody out.
    const claims = { ...delegation, aud: this.#refreshAudience, sub: userOf(delegation.user).oid, nbf: 0 }
    return (await this.#sign(claims, refreshLifetimeMinutes)).token
  }

  async verifyRefresh(token: string): Promise<Delegation> {
    return (await this.verify(token, [this.#refreshAudience])) as unknown as Delegation
  }

  /** Throws an `EntraTokenError`. */
  async verify(token: string, audiences: readonly string[]): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.#keyOf(kid), {
        issuer: this.#issuer(),
        audience: [...audiences],
        algorithms: ['RS256'],
        currentDate: new Date(this.#clock.now()),
        requiredClaims: ['exp'],
      })
      return payload
    } catch (error) {
      throw explain(error, audiences)
    }
  }

  get #refreshAudience(): string {
    return `${this.#issuer()}/refresh`
  }

  #keyOf(kid: string | undefined) {
    const key = this.#keys.find(kid)
    if (!key) throw new EntraTokenError('TokenSignature', 'No key of the sign-in emulation signed this token.')
    return key.publicKey
  }

  // differs(audience)
  async #access({ audience, lifetimeMinutes = defaultLifetimeMinutes }: AccessTokenOptions, claims: JWTPayload) {
    return this.#sign({ ...claims, aud: audience, uti: randomUUID() }, lifetimeMinutes)
  }

  async #sign(claims: JWTPayload, lifetimeMinutes: number): Promise<{ token: string; expiresOn: Date }> {
    const { kid, privateKey } = await this.#keys.current()
    const version = versionFor(claims.aud)
    const isForStorage = version === '1.0'
    const iss = isForStorage ? `https://sts.windows.net/${wellKnownTenantId}/` : this.#issuer()
    // Azurite goes by the machine's clock.
    const now = isForStorage ? this.#clock.now() - this.#clock.offset : this.#clock.now()
    const iat = Math.floor(now / 1000)
    const exp = iat + Math.round(lifetimeMinutes * 60)
    const common = { iss, iat, nbf: iat, exp, tid: wellKnownTenantId, ver: version }
    const token = await new SignJWT({ ...common, ...claims })
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid })
      .sign(privateKey)
    return { token, expiresOn: new Date(exp * 1000) }
  }
}

/** Azure Storage takes tokens of version 1.0, and so does Azurite, which looks at the issuer and never asks it for keys. */
function versionFor(audience: JWTPayload['aud']): '1.0' | '2.0' {
  return /^https:\/\/(?:storage\.azure\.com|[a-z\d]+\.table\.core\.windows\.net)\/?$/.test(String(audience))
    ? '1.0'
    : '2.0'
}

function explain(error: unknown, audiences: readonly string[]): EntraTokenError {
  if (error instanceof EntraTokenError) return error
  if (error instanceof errors.JWTExpired) return new EntraTokenError('TokenExpired', 'The token has expired.')
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') {
      return new EntraTokenError('TokenAudience', `The token’s audience has to be ${audiences.join(' or ')}.`)
    }
    if (error.claim === 'iss') return new EntraTokenError('TokenIssuer', 'The token is of another issuer or tenant.')
    return new EntraTokenError('TokenClaims', `The token’s claim ${error.claim} is missing or wrong.`)
  }
  return new EntraTokenError('TokenSignature', 'The token is no JWT that the sign-in emulation signed.')
}

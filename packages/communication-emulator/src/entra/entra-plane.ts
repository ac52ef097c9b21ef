import type { Clock } from '../clock.ts'
import type { Hostnames } from '../hostnames.ts'
import type { RawResponse, RawRequest } from '../raw-request.ts'
import type { Store } from '../store.ts'
import { createAuthorizationEndpoint } from './authorization.ts'
import { getDefaultPermissions } from './communication-applications.ts'
import { createEntraTokens, type EntraTokens } from './entra-tokens.ts'
import { handleManagedIdentity, managedIdentityFor, managedIdentityPath } from './managed-identity.ts'
import { OAuthError } from './oauth-error.ts'
import { describeConfiguration, getIssuer } from './openid-configuration.ts'
import { signOut } from './sign-out.ts'
import { createSigningKeys, type SigningKeys } from './signing-keys.ts'
import { toUser, wellKnownPublicClientId, wellKnownTenantId } from './tenant.ts'
import { createTokenEndpoint } from './token-endpoint.ts'

/** User and token of a sign-in without the page. */
export interface SignInOptions {
  /** Any name; the same name always maps to the same user. */
  readonly user: string
  /** Audience of the token (`aud`); default `api://acs-kit`. */
  readonly audience?: string
  /** Permissions of the token (`scp`); default: those of the audience's `.default`, usually `access_as_user`. */
  readonly scopes?: readonly string[]
  /** App roles of the user (`roles`); default: none. */
  readonly roles?: readonly string[]
  /** Client id of the application that requests the token; default: the public application. */
  readonly clientId?: string
  /** Lifetime of the token; default 60. */
  readonly lifetimeMinutes?: number
}

/** Access token of a signed-in user. */
export interface SignInResult {
  readonly accessToken: string
  readonly expiresOn: Date
  /** Object id of the user. */
  readonly oid: string
}

const tenantPath = /^\/(?<tenant>[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|common|organizations|consumers)\//i

/** Names of the only tenant. differs(shared-tenants) */
const servedTenants = new Set([wellKnownTenantId, 'common', 'organizations'])

/** Operations by method and path below the tenant. */
const routes = {
  'GET /v2.0/.well-known/openid-configuration': 'openidConfiguration',
  'GET /discovery/v2.0/keys': 'signingKeys',
  'GET /oauth2/v2.0/authorize': 'authorize',
  'POST /oauth2/v2.0/authorize': 'authorize',
  'POST /oauth2/v2.0/token': 'entraToken',
  'GET /oauth2/v2.0/logout': 'signOut',
} as const

type EntraOperation = (typeof routes)[keyof typeof routes] | 'managedIdentityToken'

/** Operations of sign-in, as the request log and faults name them. */
export const entraOperations: readonly EntraOperation[] = [
  ...new Set([...Object.values(routes), 'managedIdentityToken' as const]),
]

/**
 * Emulates Microsoft Entra ID: signs in users and applications, without passwords, and issues tokens in its format.
 *
 * @example
 * const { accessToken, oid } = await emulator.entra.signIn({ user: 'alice', lifetimeMinutes: 5 })
 */
export class EntraPlane {
  readonly tenantId = wellKnownTenantId
  /** @internal */
  readonly tokens: EntraTokens
  readonly #keys: SigningKeys
  readonly #authorization: ReturnType<typeof createAuthorizationEndpoint>
  readonly #handleTokenRequest: ReturnType<typeof createTokenEndpoint>
  readonly #hostnames: Hostnames
  readonly #getPort: () => number

  /** @internal `getPort` returns the port of the default resource. */
  constructor(store: Store, clock: Clock, hostnames: Hostnames, getPort: () => number) {
    this.#hostnames = hostnames
    this.#getPort = getPort
    this.#keys = createSigningKeys(store)
    const getIssuers = () => hostnames.toOrigins(getPort()).map((origin) => getIssuer(origin))
    this.tokens = createEntraTokens(this.#keys, clock, () => this.issuer, getIssuers)
    this.#authorization = createAuthorizationEndpoint(clock, hostnames)
    this.#handleTokenRequest = createTokenEndpoint(this.tokens, this.#authorization.redeem)
  }

  /** Origin of the default resource. */
  get #origin(): string {
    return this.#hostnames.toOrigin(this.#getPort())
  }

  /** Issuer of the tokens (`iss`). */
  get issuer(): string {
    return getIssuer(this.#origin)
  }

  /** Values of `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`; older SDKs read them from `MSI_ENDPOINT` and `MSI_SECRET`. */
  get managedIdentity(): { readonly endpoint: string; readonly header: string } {
    return managedIdentityFor(this.#origin)
  }

  /**
   * Signs a user in without the sign-in page.
   *
   * @param options The user, and optionally the claims and lifetime of the token.
   * @returns An access token, its expiry and the user's object id.
   *
   * @example
   * const { accessToken } = await emulator.entra.signIn({ user: 'alice', roles: ['admin'] })
   */
  async signIn({
    user,
    audience = 'api://acs-kit',
    scopes = getDefaultPermissions(audience),
    roles = [],
    clientId = wellKnownPublicClientId,
    lifetimeMinutes,
  }: SignInOptions): Promise<SignInResult> {
    const options = { audience, permissions: scopes, lifetimeMinutes }
    const { token, expiresOn } = await this.tokens.issueForUser({ user, roles, clientId }, options)
    return { accessToken: token, expiresOn, oid: toUser(user).oid }
  }

  /**
   * Replaces the signing key. The previous key stays published until the next rotation, so its tokens remain valid.
   *
   * @example
   * await emulator.entra.rotateSigningKeys()
   */
  async rotateSigningKeys(): Promise<void> {
    await this.#keys.getCurrent()
    await this.#keys.rotate()
  }

  /** Discards authorization codes that were not redeemed. Keeps signing keys. */
  reset(): void {
    this.#authorization.clear()
  }

  /** @internal */
  owns({ path }: RawRequest): boolean {
    return path === managedIdentityPath || tenantPath.test(path)
  }

  /** @internal */
  getOperation({ method, path }: RawRequest): EntraOperation | undefined {
    if (path === managedIdentityPath) return 'managedIdentityToken'
    return (routes as Record<string, EntraOperation>)[`${method} ${path.replace(tenantPath, '/')}`]
  }

  /** @internal Throws an `OAuthError`. */
  async handle(request: RawRequest): Promise<RawResponse> {
    if (request.method === 'OPTIONS') return { status: 204 }
    const tenant = tenantPath.exec(request.path)?.groups!['tenant']!.toLowerCase()
    if (tenant !== undefined && !servedTenants.has(tenant)) {
      throw new OAuthError('invalid_tenant', 90002, `Unknown tenant ${tenant}: use ${wellKnownTenantId}.`)
    }
    switch (this.getOperation(request)) {
      case 'openidConfiguration':
        return { status: 200, body: describeConfiguration(this.#origin, tenant!) }
      case 'signingKeys':
        return { status: 200, body: await this.#keys.publish() }
      case 'authorize':
        return this.#authorization.handle(request)
      case 'entraToken':
        return this.#handleTokenRequest(request)
      case 'managedIdentityToken':
        return handleManagedIdentity(request, this.tokens)
      case 'signOut':
        return signOut(request, this.#hostnames)
      case undefined:
        throw new OAuthError('invalid_request', 900144, `Unknown route: ${request.method} ${request.path}.`, 404)
    }
  }
}

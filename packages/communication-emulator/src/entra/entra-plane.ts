import type { Clock } from '../clock.ts'
import { getHeader, type RawResponse, type RawRequest } from '../raw-request.ts'
import { isLoopbackOrigin } from '../loopback.ts'
import type { Store } from '../store.ts'
import { AuthorizationEndpoint } from './authorization.ts'
import { isRegisteredRedirect } from './clients.ts'
import { EntraTokens } from './entra-tokens.ts'
import { ManagedIdentityEndpoint, managedIdentityOf, managedIdentityPath } from './managed-identity.ts'
import { OAuthError } from './oauth-error.ts'
import { signedOutPage } from './sign-in-page.ts'
import { SigningKeys } from './signing-keys.ts'
import { userOf, wellKnownPublicClientId, wellKnownTenantId } from './tenant.ts'
import { TokenEndpoint } from './token-endpoint.ts'

export const entraOperations = [
  'openidConfiguration',
  'signingKeys',
  'authorize',
  'entraToken',
  'signOut',
  'managedIdentityToken',
] as const

export type EntraOperation = (typeof entraOperations)[number]

export interface SignInOptions {
  /** Any name; the same name always maps to the same user. */
  readonly user: string
  /** For `aud`; default `api://acs-kit`. */
  readonly audience?: string
  /** For `scp`; default `access_as_user`. */
  readonly scopes?: readonly string[]
  /** App roles; default none. */
  readonly roles?: readonly string[]
  /** Default the public application. */
  readonly clientId?: string
  /** Default 60. */
  readonly lifetimeMinutes?: number
}

export interface SignedIn {
  readonly accessToken: string
  readonly expiresOn: Date
  /** Object id of the user. */
  readonly oid: string
}

const tenantPath = /^\/(?<tenant>[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|common|organizations|consumers)\//i

/** Names of the one directory. differs(shared-tenants) */
const servedTenants = new Set([wellKnownTenantId, 'common', 'organizations'])

const routes: readonly { method: string; path: string; operation: EntraOperation }[] = [
  { method: 'GET', path: '/v2.0/.well-known/openid-configuration', operation: 'openidConfiguration' },
  { method: 'GET', path: '/discovery/v2.0/keys', operation: 'signingKeys' },
  { method: 'GET', path: '/oauth2/v2.0/authorize', operation: 'authorize' },
  { method: 'POST', path: '/oauth2/v2.0/authorize', operation: 'authorize' },
  { method: 'POST', path: '/oauth2/v2.0/token', operation: 'entraToken' },
  { method: 'GET', path: '/oauth2/v2.0/logout', operation: 'signOut' },
]

/** Stands in for Microsoft Entra ID: sign-in for people and programs, with tokens in its form, and nobody's password. */
export class EntraPlane {
  readonly tenantId = wellKnownTenantId
  readonly tokens: EntraTokens
  readonly #keys: SigningKeys
  readonly #authorization: AuthorizationEndpoint
  readonly #tokenEndpoint: TokenEndpoint
  readonly #managedIdentity: ManagedIdentityEndpoint
  readonly #origin: () => string

  /** `origin` is that of the default resource, without a slash. */
  constructor(store: Store, clock: Clock, origin: () => string) {
    this.#origin = origin
    this.#keys = new SigningKeys(store)
    this.tokens = new EntraTokens(this.#keys, clock, () => this.issuer)
    this.#authorization = new AuthorizationEndpoint(clock)
    this.#tokenEndpoint = new TokenEndpoint(this.tokens, this.#authorization)
    this.#managedIdentity = new ManagedIdentityEndpoint(this.tokens)
  }

  get issuer(): string {
    return `${this.#origin()}/${wellKnownTenantId}/v2.0`
  }

  /** Values of `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, as App Service sets them; older SDKs read them from `MSI_ENDPOINT` and `MSI_SECRET`. */
  get managedIdentity(): { readonly endpoint: string; readonly header: string } {
    return managedIdentityOf(this.#origin())
  }

  /** A person's access token, without the page. */
  async signIn({
    user,
    audience = 'api://acs-kit',
    scopes = ['access_as_user'],
    roles = [],
    clientId = wellKnownPublicClientId,
    lifetimeMinutes,
  }: SignInOptions): Promise<SignedIn> {
    const { token, expiresOn } = await this.tokens.delegated(
      { user, roles, clientId },
      { audience, permissions: scopes, ...(lifetimeMinutes !== undefined && { lifetimeMinutes }) },
    )
    return { accessToken: token, expiresOn, oid: userOf(user).oid }
  }

  /** Signs with a new key from now on. The former one stays published until the next rotation. */
  async rotateSigningKeys(): Promise<void> {
    await this.#keys.current()
    await this.#keys.rotate()
  }

  /** Forgets codes that were not redeemed; keys stay. */
  reset(): void {
    this.#authorization.clear()
  }

  owns({ path }: RawRequest): boolean {
    return path === managedIdentityPath || tenantPath.test(path)
  }

  operationOf({ method, path }: RawRequest): EntraOperation | undefined {
    if (path === managedIdentityPath) return 'managedIdentityToken'
    const rest = path.replace(tenantPath, '/')
    return routes.find((route) => route.method === method && route.path === rest)?.operation
  }

  async handle(request: RawRequest): Promise<RawResponse> {
    if (request.method === 'OPTIONS') return { status: 204 }
    return this.#route(request).catch((error: unknown) => {
      if (error instanceof OAuthError) return error.toResponse()
      throw error
    })
  }

  async #route(request: RawRequest): Promise<RawResponse> {
    const tenant = tenantPath.exec(request.path)?.groups!['tenant']
    if (tenant !== undefined && !servedTenants.has(tenant.toLowerCase())) {
      throw new OAuthError(
        'invalid_tenant',
        90002,
        `There is no tenant ${tenant}: the emulator’s is ${wellKnownTenantId}.`,
      )
    }
    switch (this.operationOf(request)) {
      case 'openidConfiguration':
        return { status: 200, body: this.#configuration(tenant!.toLowerCase()) }
      case 'signingKeys':
        return { status: 200, body: await this.#keys.publish() }
      case 'authorize':
        return this.#authorization.handle(request)
      case 'entraToken':
        return this.#tokenEndpoint.handle(request)
      case 'managedIdentityToken':
        return this.#managedIdentity.handle(request)
      case 'signOut':
        return signOut(request)
      case undefined:
        throw new OAuthError('invalid_request', 900144, `The emulator has no ${request.method} ${request.path}.`, 404)
    }
  }

  #configuration(tenant: string) {
    const base = `${this.#origin()}/${tenant}`
    return {
      // Entra ID's shared tenants leave the tenant open in the same way.
      issuer: tenant === wellKnownTenantId ? this.issuer : `${this.#origin()}/{tenantid}/v2.0`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
      response_types_supported: ['code'],
      response_modes_supported: ['query', 'fragment'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'none'],
    }
  }
}

function signOut({ query }: RawRequest): RawResponse {
  const uri = query.get('post_logout_redirect_uri') ?? undefined
  if (!isRegisteredRedirect(uri)) return signedOutPage()
  const url = new URL(uri)
  const state = query.get('state')
  if (state !== null) url.searchParams.set('state', state)
  return { status: 302, headers: { Location: url.href } }
}

/** CORS headers of a response: only pages of this machine may sign users in. */
export function entraCorsHeaders({ headers }: RawRequest): Record<string, string> {
  const origin = getHeader(headers, 'origin')
  if (origin === undefined || !isLoopbackOrigin(origin)) return {}
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Allow-Headers': getHeader(headers, 'access-control-request-headers') ?? 'Content-Type',
    Vary: 'Origin',
  }
}

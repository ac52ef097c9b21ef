import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Hostnames } from '../hostnames.ts'
import type { RawResponse, RawRequest } from '../raw-request.ts'
import { checkClient, getApplicationName, isAllowedRedirect } from './clients.ts'
import type { Delegation } from './entra-tokens.ts'
import { OAuthError } from './oauth-error.ts'
import { parseScopes } from './scopes.ts'
import { errorPage, signInPage } from './sign-in-page.ts'

/** Sign-in that an authorization code represents. */
export interface Authorization {
  readonly delegation: Delegation
  readonly redirectUri: string
  readonly codeChallenge: string
  readonly scope: string
  readonly nonce: string | undefined
  readonly expiresAt: number
}

const codeLifetimeMs = 10 * 60_000

/** Creates the authorization endpoint: RFC 6749, with PKCE (RFC 7636) required for every client. */
export function createAuthorizationEndpoint(clock: Clock, hostnames: Hostnames) {
  const codes = new Map<string, Authorization>()

  /** Shows the sign-in page and accepts its form. */
  function handle(request: RawRequest): RawResponse {
    const { query } = request
    const redirectUri = query.get('redirect_uri') ?? undefined
    const clientId = query.get('client_id') ?? undefined
    try {
      checkClient(clientId)
    } catch (error) {
      return errorPage((error as OAuthError).message)
    }
    if (!isAllowedRedirect(redirectUri, hostnames)) {
      return errorPage(
        'AADSTS50011: redirect_uri must have a loopback name, such as http://localhost:5173/, or one given as --hostname.',
      )
    }
    try {
      return signIn(request, clientId, redirectUri)
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error
      return redirect(query, redirectUri, { error: error.error, error_description: error.message })
    }
  }

  /** Returns the authorization of a code that is valid and was not redeemed before. */
  function redeem(code: string): Authorization | undefined {
    const authorization = codes.get(code)
    codes.delete(code)
    return authorization && authorization.expiresAt > clock.now() ? authorization : undefined
  }

  function signIn({ method, query, body }: RawRequest, clientId: string, redirectUri: string): RawResponse {
    const codeChallenge = readCodeChallenge(query)
    if (query.get('prompt') === 'none') {
      throw new OAuthError('login_required', 50058, 'The emulator has no sessions: omit prompt=none.')
    }
    const form = new URLSearchParams(body.toString())
    const user = (form.get('pick') ?? form.get('user') ?? '').trim()
    if (method !== 'POST' || user === '') {
      const application = { name: getApplicationName(clientId), clientId, origin: new URL(redirectUri).origin }
      return signInPage({ hint: query.get('login_hint') ?? '', application, hosts: hostnames.urlHosts })
    }
    for (const [old, { expiresAt }] of codes) if (expiresAt <= clock.now()) codes.delete(old)
    const code = randomBytes(32).toString('base64url')
    const roles = (form.get('roles') ?? '').split(/[\s,]+/).filter((role) => role !== '')
    codes.set(code, {
      delegation: { user, roles, clientId },
      redirectUri,
      codeChallenge,
      scope: query.get('scope') ?? '',
      nonce: query.get('nonce') ?? undefined,
      expiresAt: clock.now() + codeLifetimeMs,
    })
    return redirect(query, redirectUri, { code })
  }

  return { handle, redeem, clear: () => codes.clear() }
}

/** Returns the code challenge of a valid request. Throws an `OAuthError`. */
function readCodeChallenge(query: URLSearchParams): string {
  if (query.get('response_type') !== 'code') {
    throw new OAuthError('unsupported_response_type', 700054, 'response_type must be code.')
  }
  if (!['query', 'fragment'].includes(query.get('response_mode') ?? 'query')) {
    throw new OAuthError('invalid_request', 90013, 'response_mode must be query or fragment.')
  }
  const codeChallenge = query.get('code_challenge') ?? ''
  if (query.get('code_challenge_method') !== 'S256' || !/^[\w-]{43}$/.test(codeChallenge)) {
    throw new OAuthError('invalid_request', 9002325, 'PKCE is required: send code_challenge with method S256.')
  }
  const { openid, resource } = parseScopes(query.get('scope') ?? '')
  if (openid.length === 0 && !resource)
    throw new OAuthError('invalid_request', 900144, 'scope is missing: send <resource>/<permission> or openid.')
  return codeChallenge
}

function redirect(query: URLSearchParams, redirectUri: string, parameters: Record<string, string>): RawResponse {
  const state = query.get('state')
  const result = new URLSearchParams({ ...parameters, ...(state !== null && { state }) })
  const url = new URL(redirectUri)
  if (query.get('response_mode') === 'fragment') url.hash = result.toString()
  else for (const [name, value] of result) url.searchParams.append(name, value)
  return { status: 302, headers: { Location: url.href, 'Cache-Control': 'no-store' } }
}

/** Whether a PKCE verifier matches the challenge. */
export function matchesChallenge(codeVerifier: string | null, codeChallenge: string): boolean {
  return codeVerifier !== null && hash('sha256', codeVerifier, 'base64url') === codeChallenge
}

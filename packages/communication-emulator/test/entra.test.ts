import { ConfidentialClientApplication, CryptoProvider, PublicClientApplication } from '@azure/msal-node'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import * as oidc from 'openid-client'
import { describe, expect, it } from 'vitest'
import {
  wellKnownClientSecret,
  wellKnownConfidentialClientId,
  wellKnownPublicClientId,
  wellKnownTenantId,
} from '../src/index.ts'
import { signInAt } from './browser-sign-in.ts'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()
const redirectUri = 'http://localhost:12345/callback'
const scope = 'api://acs-kit/access_as_user'
const tenants = [wellKnownTenantId, 'common', 'organizations']
const authority = () => `${fixture.emulator.endpoint}${wellKnownTenantId}`

/** Verifies a token with the published keys. */
function verify(token: string, audience: string) {
  const keys = createRemoteJWKSet(new URL(`${authority()}/discovery/v2.0/keys`))
  return jwtVerify(token, keys, { issuer: fixture.emulator.entra.issuer, audience, algorithms: ['RS256'] })
}

describe('@azure/msal-node, unmodified', () => {
  it.each(tenants)('signs a user in at %s with code and PKCE, and renews the token silently', async (tenant) => {
    const application = new PublicClientApplication({
      auth: {
        clientId: wellKnownPublicClientId,
        authority: `${fixture.emulator.endpoint}${tenant}`,
        knownAuthorities: [new URL(authority()).host],
      },
    })
    const { verifier, challenge } = await new CryptoProvider().generatePkceCodes()
    const url = await application.getAuthCodeUrl({
      scopes: [scope],
      redirectUri,
      codeChallenge: challenge,
      codeChallengeMethod: 'S256',
      loginHint: 'alice',
    })
    const { searchParams } = await signInAt(url, { user: 'Alice', roles: 'admin guest' })
    const code = searchParams.get('code')!
    const result = await application.acquireTokenByCode({ code, codeVerifier: verifier, scopes: [scope], redirectUri })
    expect(result.account?.name).toBe('Alice')
    expect(result.scopes).toContain(scope)
    const { payload } = await verify(result.accessToken, 'api://acs-kit')
    const { accessToken } = await fixture.emulator.entra.signIn({ user: 'alice' })
    expect(payload).toMatchObject({
      tid: wellKnownTenantId,
      oid: decodeJwt(accessToken)['oid'],
      sub: decodeJwt(accessToken).sub,
      scp: 'access_as_user',
      roles: ['admin', 'guest'],
      appid: wellKnownPublicClientId,
      azp: wellKnownPublicClientId,
      preferred_username: 'alice@emulator.example',
    })
    fixture.emulator.clock.advance(2000)
    const renewed = await application.acquireTokenSilent({
      account: result.account!,
      scopes: [scope],
      forceRefresh: true,
    })
    expect(renewed.accessToken).not.toBe(result.accessToken)
    expect(decodeJwt(renewed.accessToken)).toMatchObject({ oid: payload['oid'], roles: ['admin', 'guest'] })
  })

  it.each([
    ['https://auth.msft.communication.azure.com', 'Teams.ManageCalls Teams.ManageChats TeamsExtension.ManageCalls'],
    ['https://communication.azure.com/clients', 'Chat Chat.Join Chat.Join.Limited VoIP VoIP.Join'],
  ])('acquires a token of %s for its .default, on the sign-in page', async (audience, permissions) => {
    const application = new PublicClientApplication({
      auth: {
        clientId: wellKnownPublicClientId,
        authority: authority(),
        knownAuthorities: [new URL(authority()).host],
      },
    })
    const { verifier, challenge } = await new CryptoProvider().generatePkceCodes()
    const scopes = [`${audience}/.default`]
    const request = { scopes, redirectUri, codeChallenge: challenge, codeChallengeMethod: 'S256' }
    const { searchParams } = await signInAt(await application.getAuthCodeUrl(request), { user: 'alice' })
    const code = searchParams.get('code')!
    const result = await application.acquireTokenByCode({ code, codeVerifier: verifier, scopes, redirectUri })
    expect(decodeJwt(result.accessToken)).toMatchObject({ aud: audience, scp: permissions })
    const signedIn = await fixture.emulator.entra.signIn({ user: 'alice', audience })
    expect(decodeJwt(signedIn.accessToken)).toMatchObject({ aud: audience, scp: permissions })
  })

  it("acquires a service's own token for its credentials", async () => {
    const application = new ConfidentialClientApplication({
      auth: {
        clientId: wellKnownConfidentialClientId,
        clientSecret: wellKnownClientSecret,
        authority: authority(),
        knownAuthorities: [new URL(authority()).host],
      },
    })
    const result = await application.acquireTokenByClientCredential({ scopes: ['api://acs-kit/.default'] })
    const { payload } = await verify(result!.accessToken, 'api://acs-kit')
    expect(payload).toMatchObject({ idtyp: 'app', appid: wellKnownConfidentialClientId })
    expect(payload).not.toHaveProperty('scp')
  })
})

describe('the grant of client credentials', () => {
  const request = (scope: string) =>
    fetch(`${authority()}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: wellKnownConfidentialClientId,
        client_secret: wellKnownClientSecret,
        scope,
      }),
    })

  it.each([
    'https://management.core.windows.net//.default openid offline_access profile',
    'openid offline_access profile https://management.core.windows.net//.default',
    'https://management.core.windows.net//.default',
  ])('ignores the scopes of OpenID Connect, which MSAL for Go always sends: %s', async (scope) => {
    const response = await request(scope)
    expect(response.status).toBe(200)
    const body = (await response.json()) as Record<string, string>
    expect(Object.keys(body).toSorted()).toEqual(['access_token', 'expires_in', 'token_type'])
    expect(decodeJwt(body['access_token']!)).toMatchObject({
      aud: 'https://management.core.windows.net/',
      idtyp: 'app',
    })
    const subscriptions = await fetch(`${fixture.emulator.endpoint}subscriptions?api-version=2022-12-01`, {
      headers: { Authorization: `Bearer ${body['access_token']}` },
    })
    expect(subscriptions.status).toBe(200)
  })

  it.each([
    'openid offline_access profile',
    '',
    'api://acs-kit/access_as_user openid',
    'api://acs-kit/.default api://acs-kit/access_as_user',
    'api://acs-kit/access_as_user api://acs-kit/.default',
    'api://acs-kit/.default api://other/.default',
  ])('requires exactly one resource scope, its .default: %s', async (scope) => {
    const response = await request(scope)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: 'invalid_scope' })
  })
})

describe('openid-client, unmodified', () => {
  it('discovers the configuration, signs in and refreshes', async () => {
    const config = await oidc.discovery(
      new URL(fixture.emulator.entra.issuer),
      wellKnownPublicClientId,
      undefined,
      oidc.None(),
    )
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
    const state = oidc.randomState()
    const nonce = oidc.randomNonce()
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: `openid offline_access ${scope}`,
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    })
    const callback = await signInAt(url.href, { pick: 'bob' })
    const tokens = await oidc.authorizationCodeGrant(config, callback, {
      pkceCodeVerifier,
      expectedState: state,
      expectedNonce: nonce,
    })
    expect(tokens.claims()).toMatchObject({ name: 'bob', aud: wellKnownPublicClientId })
    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token!, { scope })
    expect((await verify(refreshed.access_token, 'api://acs-kit')).payload).toMatchObject({
      name: 'bob',
      scp: 'access_as_user',
    })
  })

  it('authenticates a confidential application by form and by header', async () => {
    for (const method of [oidc.ClientSecretPost, oidc.ClientSecretBasic]) {
      const issuer = new URL(fixture.emulator.entra.issuer)
      const authentication = method(wellKnownClientSecret)
      const config = await oidc.discovery(issuer, wellKnownConfidentialClientId, undefined, authentication)
      const { access_token: token } = await oidc.clientCredentialsGrant(config, { scope: 'api://acs-kit/.default' })
      expect(decodeJwt(token).aud).toBe('api://acs-kit')
    }
  })
})

describe('signing keys', () => {
  it('rotates keys on demand, and publishes the previous key until the next rotation', async () => {
    const { entra } = fixture.emulator
    const { accessToken: before } = await entra.signIn({ user: 'alice' })
    await entra.rotateSigningKeys()
    const { accessToken: after } = await entra.signIn({ user: 'alice' })
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid)
    for (const token of [before, after]) await verify(token, 'api://acs-kit')
    await fetch(`${fixture.emulator.endpoint}_emulator/entra/rotate-keys`, { method: 'POST' })
    await verify(after, 'api://acs-kit')
    await expect(verify(before, 'api://acs-kit')).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' })
  })

  it('applies faults only if they name the operation', async () => {
    fixture.emulator.faults.add({ status: 500 })
    expect((await fetch(`${authority()}/discovery/v2.0/keys`)).status).toBe(200)
    fixture.emulator.faults.add({ operation: 'signingKeys', status: 503 })
    expect((await fetch(`${authority()}/discovery/v2.0/keys`)).status).toBe(503)
  })
})

it('serves the directory at the shared tenants, with a placeholder in the issuer', async () => {
  const origin = fixture.emulator.endpoint.slice(0, -1)
  const [own, common, organizations] = await Promise.all(
    tenants.map(async (tenant) => {
      const response = await fetch(`${origin}/${tenant}/v2.0/.well-known/openid-configuration`)
      return (await response.json()) as Record<string, string>
    }),
  )
  expect(own!['issuer']).toBe(fixture.emulator.entra.issuer)
  expect(common).toMatchObject({
    issuer: `${origin}/{tenantid}/v2.0`,
    authorization_endpoint: `${origin}/common/oauth2/v2.0/authorize`,
    token_endpoint: `${origin}/common/oauth2/v2.0/token`,
  })
  const keys = await Promise.all([own, organizations].map(async (part) => (await fetch(part!['jwks_uri']!)).json()))
  expect(keys[1]).toEqual(keys[0])
  const signOut = `${organizations!['end_session_endpoint']}?post_logout_redirect_uri=${redirectUri}`
  const signedOut = await fetch(signOut, { redirect: 'manual' })
  expect([signedOut.status, signedOut.headers.get('Location')]).toEqual([302, redirectUri])
})

describe('the authorization endpoint', () => {
  const challenge = 'A'.repeat(43)
  const valid = {
    client_id: wellKnownPublicClientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 'a&b',
  }
  const open = (changed: Record<string, string>) =>
    fetch(`${authority()}/oauth2/v2.0/authorize?${new URLSearchParams({ ...valid, ...changed }).toString()}`, {
      redirect: 'manual',
    })

  it.each([
    ['from an unknown application', { client_id: 'unknown' }, 'AADSTS700016'],
    ['to another machine', { redirect_uri: 'https://evil.example/callback' }, 'AADSTS50011'],
    ['to a name that only begins with localhost', { redirect_uri: 'http://localhost.evil.example/' }, 'AADSTS50011'],
    ['to an address that is not HTTP', { redirect_uri: 'javascript:alert(1)' }, 'AADSTS50011'],
  ])('shows an error page for a request %s', async (_name, changed, code) => {
    const response = await open(changed)
    expect(response.status).toBe(400)
    expect(await response.text()).toContain(code)
    expect(response.headers.get('location')).toBeNull()
  })

  it.each(['http://localhost/', 'https://127.0.0.1:5173/a?b=c', 'http://[::1]:8080/', 'http://app.localhost:5173/'])(
    'opens the sign-in page for an application at %s',
    async (address) => {
      const response = await open({ redirect_uri: address })
      expect(response.status).toBe(200)
      const html = await response.text()
      expect(html).toContain('sign-in page of the <strong>acs-kit emulator</strong>')
      expect(html).toContain('<h1>Sign in to acs-kit sample app</h1>')
      expect(html).toContain(`${new URL(address).origin}, application ${wellKnownPublicClientId}`)
    },
  )

  it.each([
    ['without PKCE', { code_challenge: '' }, 'invalid_request'],
    ['with plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['for a token without a code', { response_type: 'token' }, 'unsupported_response_type'],
    ['with a scope without a resource', { scope: 'User.Read' }, 'invalid_scope'],
    ['for two resources', { scope: `${scope} https://communication.azure.com//.default` }, 'invalid_scope'],
    ['without user interaction', { prompt: 'none' }, 'login_required'],
  ])('redirects with an error for a request %s', async (_name, changed, error) => {
    const response = await open(changed)
    const location = new URL(response.headers.get('location')!)
    expect(location.origin + location.pathname).toBe(redirectUri)
    expect(Object.fromEntries(location.searchParams)).toMatchObject({ error, state: 'a&b' })
  })

  it('rejects another tenant', async () => {
    const response = await fetch(`${fixture.emulator.endpoint}consumers/v2.0/.well-known/openid-configuration`)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: 'invalid_tenant', error_codes: [90002] })
  })

  it('escapes scripts in its page', async () => {
    const response = await open({ login_hint: '"><script>alert(1)</script>' })
    const html = await response.text()
    expect(html).not.toContain('<script')
    expect(html).toContain('&#34;&#62;&#60;script')
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  })
})

describe('the token endpoint', () => {
  async function codeFor(user = 'alice') {
    const verifier = oidc.randomPKCECodeVerifier()
    const query = new URLSearchParams({
      client_id: wellKnownPublicClientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      response_mode: 'fragment',
      scope: `openid ${scope}`,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    const { hash } = await signInAt(`${authority()}/oauth2/v2.0/authorize?${query.toString()}`, { user })
    return { code: new URLSearchParams(hash.slice(1)).get('code')!, verifier }
  }

  async function redeem(form: Record<string, string>) {
    const response = await fetch(`${authority()}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    })
    return { status: response.status, ...((await response.json()) as { error?: string; error_description?: string }) }
  }

  const grant = { grant_type: 'authorization_code', client_id: wellKnownPublicClientId, redirect_uri: redirectUri }

  it('rejects a code that was redeemed, has expired, or was issued for another verifier or address', async () => {
    const first = await codeFor()
    const form = { ...grant, code: first.code, code_verifier: first.verifier }
    expect((await redeem(form)).status).toBe(200)
    expect(await redeem(form)).toMatchObject({
      status: 400,
      error: 'invalid_grant',
      error_description: 'AADSTS70008: The code is invalid, expired or already redeemed: request a new one.',
    })

    const late = await codeFor()
    fixture.emulator.clock.advance(11 * 60_000)
    expect(await redeem({ ...grant, code: late.code, code_verifier: late.verifier })).toMatchObject({
      error: 'invalid_grant',
    })

    const stolen = await codeFor()
    const wrong = { ...grant, code: stolen.code, code_verifier: oidc.randomPKCECodeVerifier() }
    expect((await redeem(wrong)).error_description).toContain('code_verifier')

    const moved = await codeFor()
    const elsewhere = { ...grant, code: moved.code, code_verifier: moved.verifier, redirect_uri: `${redirectUri}/2` }
    expect((await redeem(elsewhere)).error_description).toContain('redirect_uri')
  })

  it.each([
    [{ grant_type: 'password', client_id: wellKnownPublicClientId }, 400, 'unsupported_grant_type'],
    [{ grant_type: 'client_credentials', client_id: wellKnownConfidentialClientId }, 401, 'invalid_client'],
    [
      { grant_type: 'client_credentials', client_id: wellKnownConfidentialClientId, client_secret: 'wrong' },
      401,
      'invalid_client',
    ],
    [
      { grant_type: 'client_credentials', client_id: wellKnownPublicClientId, scope: 'api://x/.default' },
      400,
      'unauthorized_client',
    ],
    [{ grant_type: 'refresh_token', client_id: wellKnownPublicClientId, refresh_token: 'x' }, 400, 'invalid_grant'],
  ])('rejects %j', async (form, status, error) => {
    expect(await redeem(form)).toMatchObject({
      status,
      error,
      error_description: expect.stringMatching(/^AADSTS\d+: /),
    })
  })

  it('rejects an access token in place of a refresh token', async () => {
    const { accessToken } = await fixture.emulator.entra.signIn({ user: 'alice' })
    const form = { grant_type: 'refresh_token', client_id: wellKnownPublicClientId, refresh_token: accessToken }
    expect(await redeem(form)).toMatchObject({
      error: 'invalid_grant',
      error_description: expect.stringContaining('The refresh token is invalid: '),
    })
  })
})

it('allows only pages of this machine', async () => {
  const url = `${authority()}/oauth2/v2.0/token`
  const preflight = (origin: string) => fetch(url, { method: 'OPTIONS', headers: { origin } })
  expect((await preflight('http://localhost:5173')).headers.get('access-control-allow-origin')).toBe(
    'http://localhost:5173',
  )
  expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
})

import { getHeader, type RawResponse, type RawRequest } from '../raw-request.ts'
import { matchesChallenge, type Authorization } from './authorization.ts'
import { authenticateClient } from './clients.ts'
import { EntraTokenError, type Delegation, type EntraTokens } from './entra-tokens.ts'
import { OAuthError } from './oauth-error.ts'
import { parseScopes } from './scopes.ts'
import { toUser, wellKnownConfidentialClientId, wellKnownTenantId } from './tenant.ts'

/** Creates the handler of the token endpoint, for authorization codes, refresh tokens and client credentials. */
export function createTokenEndpoint(tokens: EntraTokens, redeem: (code: string) => Authorization | undefined) {
  /** Issues the tokens of a grant. Throws an `OAuthError`. */
  async function handle({ headers, body }: RawRequest): Promise<RawResponse> {
    if (!/^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')) {
      throw new OAuthError('invalid_request', 900144, 'The body must be application/x-www-form-urlencoded.')
    }
    const form = new URLSearchParams(body.toString())
    const clientId = authenticateClient(form, getHeader(headers, 'authorization'))
    const members = await performGrant(form, clientId)
    return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { token_type: 'Bearer', ...members } }
  }

  function performGrant(form: URLSearchParams, clientId: string): Promise<Record<string, unknown>> {
    const type = form.get('grant_type')
    if (type === 'authorization_code') return redeemCode(form, clientId)
    if (type === 'refresh_token') return refresh(form, clientId)
    if (type === 'client_credentials') return useCredentials(form, clientId)
    throw new OAuthError(
      'unsupported_grant_type',
      70003,
      'grant_type must be authorization_code, refresh_token or client_credentials.',
    )
  }

  async function redeemCode(form: URLSearchParams, clientId: string) {
    const authorization = redeem(form.get('code') ?? '')
    if (!authorization)
      throw invalidGrant(70008, 'The code is invalid, expired or already redeemed: request a new one.')
    const { delegation, redirectUri, codeChallenge, scope, nonce } = authorization
    if (delegation.clientId !== clientId) throw invalidGrant(70000, 'The code was issued to another client.')
    if (redirectUri !== form.get('redirect_uri'))
      throw invalidGrant(500112, 'redirect_uri must be that of the authorization request.')
    if (!matchesChallenge(form.get('code_verifier'), codeChallenge))
      throw invalidGrant(501481, 'code_verifier does not match the code_challenge.')
    return issueTokens(delegation, form.get('scope') ?? scope, nonce)
  }

  async function refresh(form: URLSearchParams, clientId: string) {
    const token = form.get('refresh_token') ?? ''
    const delegation = await tokens.verifyRefreshToken(token).catch((error: unknown) => {
      if (!(error instanceof EntraTokenError)) throw error
      throw invalidGrant(700082, `The refresh token is invalid: ${error.message}`)
    })
    if (delegation.clientId !== clientId) throw invalidGrant(70000, 'The refresh token was issued to another client.')
    return issueTokens(delegation, form.get('scope') ?? 'openid offline_access')
  }

  async function useCredentials(form: URLSearchParams, clientId: string) {
    if (clientId !== wellKnownConfidentialClientId) {
      throw new OAuthError('unauthorized_client', 7000216, 'Client credentials require the confidential application.')
    }
    // MSAL for Go appends `openid offline_access profile` to every request. Entra ID ignores them for applications.
    const { resource, isDefault } = parseScopes(form.get('scope') ?? '')
    if (resource === undefined || !isDefault) {
      throw new OAuthError(
        'invalid_scope',
        1002012,
        'scope must be <resource>/.default, without other resource scopes.',
      )
    }
    const { token, lifetimeSeconds } = await tokens.issueForApplication(clientId, resource)
    return { expires_in: lifetimeSeconds, access_token: token }
  }

  async function issueTokens(delegation: Delegation, scope: string, nonce?: string) {
    const { resource, permissions, openid } = parseScopes(scope)
    const { token, lifetimeSeconds } = await tokens.issueForUser(delegation, {
      // guess(no-resource): Entra ID would issue a token for Microsoft Graph.
      audience: resource ?? delegation.clientId,
      permissions: resource === undefined ? openid : permissions,
    })
    const account = { uid: toUser(delegation.user).oid, utid: wellKnownTenantId }
    const granted = [...openid, ...permissions.map((permission) => `${resource}/${permission}`)]
    return {
      scope: granted.join(' '),
      expires_in: lifetimeSeconds,
      access_token: token,
      ...(openid.includes('offline_access') && { refresh_token: await tokens.issueRefreshToken(delegation) }),
      ...(openid.includes('openid') && {
        id_token: await tokens.issueIdToken(delegation, nonce),
        // Identifies the account to Microsoft's libraries.
        client_info: Buffer.from(JSON.stringify(account)).toString('base64url'),
      }),
    }
  }

  return handle
}

function invalidGrant(number: number, description: string): OAuthError {
  return new OAuthError('invalid_grant', number, description)
}

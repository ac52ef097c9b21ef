import { wellKnownPublicClientId } from '@acs-kit/communication-emulator'
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  discovery,
  None,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
  type TokenEndpointResponse,
} from 'openid-client'
import { signInScope } from './stack-documents.ts'

const redirectUri = 'http://127.0.0.1/signed-in'

/**
 * Signs a user in with OpenID Connect's authorization code flow and PKCE; submits the sign-in page's form for the user.
 * Returns the option `getSignInToken` of `tokenSource`.
 */
export async function signIn(issuer: string, user: string) {
  const configuration = await discovery(new URL(issuer), wellKnownPublicClientId, undefined, None())
  const pkceCodeVerifier = randomPKCECodeVerifier()
  const expectedState = randomState()
  const page = buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: signInScope,
    code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  })
  const form = new URLSearchParams({ user })
  const response = await fetch(page, { method: 'POST', body: form, redirect: 'manual' })
  const location = response.headers.get('Location')
  if (location === null) throw new Error(`the sign-in page did not redirect: status ${response.status}`)
  const checks = { pkceCodeVerifier, expectedState }
  let tokens: TokenEndpointResponse = await authorizationCodeGrant(configuration, new URL(location), checks)
  return async ({ refresh }: { readonly refresh: boolean }): Promise<string> => {
    if (refresh) tokens = await refreshTokenGrant(configuration, tokens.refresh_token!)
    return tokens.access_token
  }
}

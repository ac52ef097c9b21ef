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
  type Configuration,
  type TokenEndpointResponse,
} from 'openid-client'

const redirectUri = 'http://127.0.0.1/signed-in'

/** A user signed in with OpenID Connect's authorization code flow and PKCE; a program submits the sign-in page's form. */
export class SignedInUser {
  readonly #configuration: Configuration
  #tokens: TokenEndpointResponse

  private constructor(configuration: Configuration, tokens: TokenEndpointResponse) {
    this.#configuration = configuration
    this.#tokens = tokens
  }

  static async signIn(issuer: string, user: string): Promise<SignedInUser> {
    const configuration = await discovery(new URL(issuer), wellKnownPublicClientId, undefined, None())
    const pkceCodeVerifier = randomPKCECodeVerifier()
    const expectedState = randomState()
    const page = buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: 'openid profile offline_access api://acs-kit/access_as_user',
      code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
    })
    const form = new URLSearchParams({ user })
    const response = await fetch(page, { method: 'POST', body: form, redirect: 'manual' })
    const location = response.headers.get('Location')
    if (location === null) throw new Error(`the sign-in page did not redirect: status ${response.status}`)
    const tokens = await authorizationCodeGrant(configuration, new URL(location), { pkceCodeVerifier, expectedState })
    return new SignedInUser(configuration, tokens)
  }

  /** Option of `tokenSource`. */
  getSignInToken = async ({ refresh }: { readonly refresh: boolean }): Promise<string> => {
    if (refresh) this.#tokens = await refreshTokenGrant(this.#configuration, this.#tokens.refresh_token!)
    return this.#tokens.access_token
  }
}

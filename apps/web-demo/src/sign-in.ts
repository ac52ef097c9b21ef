import { UserManager, WebStorageStateStore, type User } from 'oidc-client-ts'
import type { DemoConfig } from './config.ts'

/** The app's own sign-in: OpenID Connect, code flow with PKCE. Its tokens are stored per tab. */
export class SignIn {
  readonly #manager: UserManager

  constructor({ authority, clientId, scope, metadata }: DemoConfig) {
    const page = location.origin + location.pathname
    const store = new WebStorageStateStore({ store: sessionStorage })
    this.#manager = new UserManager({
      authority,
      client_id: clientId,
      scope,
      ...(metadata && { metadata }),
      redirect_uri: page,
      post_logout_redirect_uri: page,
      userStore: store,
      stateStore: store,
      automaticSilentRenew: false,
    })
  }

  /** Returns the signed-in user, also after the redirect from the sign-in page. */
  async resume(): Promise<User | undefined> {
    const parameters = new URLSearchParams(location.search)
    if (parameters.has('state')) {
      const url = location.href
      history.replaceState(null, '', location.pathname)
      if (parameters.has('code') || parameters.has('error')) return this.#manager.signinRedirectCallback(url)
    }
    return (await this.#manager.getUser()) ?? undefined
  }

  /** Opens the sign-in page. */
  start(): Promise<void> {
    return this.#manager.signinRedirect()
  }

  /** Signs in again without the sign-in page, or opens it if that fails. */
  async renew(): Promise<void> {
    const user = await this.#manager.signinSilent().catch(() => null)
    if (!user) await this.start()
  }

  async end(): Promise<void> {
    // Removed first, since the redirect would put its token into the address.
    await this.#manager.removeUser()
    await this.#manager.signoutRedirect()
  }

  /** Returns the access token for the token service. */
  getAccessToken = async ({ refresh }: { readonly refresh: boolean }): Promise<string> => {
    const user = await this.#manager.getUser()
    const current = user && (refresh || user.expired) ? await this.#manager.signinSilent() : user
    if (!current) throw new Error('Not signed in.')
    return current.access_token
  }
}

import { UserManager, WebStorageStateStore, type User } from 'oidc-client-ts'
import type { DemoConfig } from './config.ts'

/** The app's own sign-in: OpenID Connect, code flow with PKCE. What it keeps, it keeps for this tab. */
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

  /** Who is signed in, also by the answer of the sign-in page that led here. */
  async resume(): Promise<User | undefined> {
    const answer = new URLSearchParams(location.search)
    if (answer.has('state')) {
      const url = location.href
      history.replaceState(null, '', location.pathname)
      if (answer.has('code') || answer.has('error')) return this.#manager.signinRedirectCallback(url)
    }
    return (await this.#manager.getUser()) ?? undefined
  }

  begin(): Promise<void> {
    return this.#manager.signinRedirect()
  }

  async end(): Promise<void> {
    // First of all, or its token would go along in the address.
    await this.#manager.removeUser()
    await this.#manager.signoutRedirect()
  }

  /** For the token service. */
  getAccessToken = async ({ refresh }: { readonly refresh: boolean }): Promise<string> => {
    const user = await this.#manager.getUser()
    const renewed = user && (refresh || user.expired) ? await this.#manager.signinSilent() : user
    if (!renewed) throw new Error('Nobody is signed in.')
    return renewed.access_token
  }
}

import { UserManager, WebStorageStateStore, type User } from 'oidc-client-ts'
import type { DemoConfig } from './config.ts'

export type SignIn = ReturnType<typeof createSignIn>

/** The app's own sign-in: OpenID Connect, code flow with PKCE. Its tokens are stored per tab. */
export function createSignIn({ authority, clientId, scope, metadata }: DemoConfig) {
  const page = location.origin + location.pathname
  const store = new WebStorageStateStore({ store: sessionStorage })
  const manager = new UserManager({
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
  /** Opens the sign-in page. If it `asks`, another user than the one signed in elsewhere can be chosen. */
  const start = ({ asks = false } = {}) => manager.signinRedirect(asks ? { prompt: 'select_account' } : {})

  return {
    start,

    /** Returns the signed-in user, also after the redirect from the sign-in page. */
    async resume(): Promise<User | undefined> {
      const parameters = new URLSearchParams(location.search)
      if (parameters.has('state')) {
        const url = location.href
        history.replaceState(null, '', location.pathname)
        if (parameters.has('code') || parameters.has('error')) return manager.signinRedirectCallback(url)
      }
      return (await manager.getUser()) ?? undefined
    },

    /** Signs in again without the sign-in page, or opens it if that fails. */
    async renew(): Promise<void> {
      const user = await manager.signinSilent().catch(() => null)
      if (!user) await start()
    },

    async end(): Promise<void> {
      // Removed first, since the redirect would put its token into the address.
      await manager.removeUser()
      await manager.signoutRedirect()
    },

    /** Returns the access token for the token service. */
    getAccessToken: async ({ refresh }: { readonly refresh: boolean }): Promise<string> => {
      const user = await manager.getUser()
      const current = user && (refresh || user.expired) ? await manager.signinSilent() : user
      if (!current) throw new Error('Not signed in: sign in again.')
      return current.access_token
    },
  }
}

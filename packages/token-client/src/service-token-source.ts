import { abortable } from './abort.ts'
import { toBaseUrl } from './base-url.ts'
import type { IdentityResponse, TokenResponse } from './contract.ts'
import {
  getUser,
  ServiceClient,
  type GetSignInToken,
  type ServiceRequest,
  type ServiceResponse,
} from './service-client.ts'
import { Tabs } from './tabs.ts'
import { TokenCache, type FetchContext } from './token-cache.ts'
import { TokenError } from './token-error.ts'
import type { TokenRequest, TokenSource, TokenSourceOptions } from './token-source.ts'

/** Options of {@link tokenSource}. */
export interface ServiceTokenSourceOptions extends TokenSourceOptions<TokenResponse> {
  /** Base URL of the token service, such as `https://tokens.example.com`. Plain http only for this machine. */
  readonly url: string | URL
  /** Returns the app's own access token for the token service, from MSAL, `oidc-client-ts` or any other sign-in library. */
  readonly getSignInToken: GetSignInToken
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch
  /** Allows plain http to other machines. Set it only for a private network. */
  readonly allowInsecureConnection?: boolean
}

/** Options of a call to the token service. */
export interface CallOptions {
  /** Ends the wait with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Result of a revocation or deletion: `accepted` if the service recorded it and retries until it succeeds. */
export type Completion = 'done' | 'accepted'

/** Source of the signed-in user's tokens, with the token service's other operations. */
export interface ServiceTokenSource extends TokenSource<TokenResponse> {
  /**
   * Revokes all communication access tokens of the user.
   *
   * @param options Signal that ends the wait.
   * @returns Whether it is done, or accepted for later.
   * @throws A {@link TokenError}, or the signal's reason.
   */
  revokeTokens(options?: CallOptions): Promise<Completion>
  /**
   * Returns the user's communication identity.
   *
   * @param options Signal that ends the wait.
   * @returns The identity, with the time of its creation and of its last revocation.
   * @throws A {@link TokenError}, with the code `identity-unknown` before the first token; or the signal's reason.
   */
  getIdentity(options?: CallOptions): Promise<IdentityResponse>
  /**
   * Deletes the user's communication identity. The next token belongs to a new one.
   *
   * @param options Signal that ends the wait.
   * @returns Whether it is done, or accepted for later.
   * @throws A {@link TokenError}, or the signal's reason.
   */
  deleteIdentity(options?: CallOptions): Promise<Completion>
}

/**
 * Creates a source of the signed-in user's communication access tokens, issued by the token service.
 *
 * @param options Address of the service and access to the app's sign-in.
 * @returns A source that caches and refreshes the tokens. Dispose it to stop refreshing.
 * @throws A `TypeError` if the URL does not begin with https://, except on this machine.
 * @example
 *   const tokens = tokenSource({
 *     url: 'https://tokens.example.com',
 *     getSignInToken: ({ refresh }) => signIn.getAccessToken({ forceRefresh: refresh }),
 *   })
 *   const { token, expiresOn, endpoint } = await tokens.getToken({ scopes: ['chat'] })
 */
export function tokenSource(options: ServiceTokenSourceOptions): ServiceTokenSource {
  const url = toBaseUrl(options.url, options.allowInsecureConnection)
  const client = new ServiceClient({ ...options, url })
  const cache = new TokenCache(fetchToken, options, () => client.now())
  /** User and service whose tokens the tabs share. */
  let tabUser: string | undefined
  const tabs = Tabs.open(({ user, request, token }) => {
    if (user !== tabUser) return
    if (token) cache.add(request, token)
    else cache.invalidate()
  })

  async function fetchToken(request: TokenRequest, { signal, setUser }: FetchContext): Promise<TokenResponse> {
    const signInToken = await client.getSignInToken(signal)
    const user = getUser(signInToken)
    const body = { ...request, refresh: setUser(user) || undefined }
    const lockUser = (tabUser = user && `${url} ${user}`)
    const fetchNow = async () => {
      const response = await client.send({ route: 'POST v1/token', signInToken, body, signal, isValid: isToken })
      return response.body as TokenResponse
    }
    return tabs && lockUser ? tabs.fetchOnce(lockUser, request, signal, fetchNow) : fetchNow()
  }

  function send(route: string, options?: CallOptions, isValid?: ServiceRequest['isValid']): Promise<ServiceResponse> {
    const response = cache.run((signal) => client.send({ route, signal, isValid }))
    return abortable(response, options?.signal)
  }

  function invalidate(): void {
    if (tabUser) tabs?.post({ user: tabUser })
    tabUser = undefined
    cache.invalidate()
  }

  /** Invalidates after success, and after a failure, since the service may have carried out the request. */
  async function sendAndInvalidate(route: string, options?: CallOptions): Promise<Completion> {
    try {
      const { status } = await send(route, options)
      invalidate()
      return status === 202 ? 'accepted' : 'done'
    } catch (error) {
      if ((error as TokenError).code !== 'sign-in-failed') invalidate()
      throw error
    }
  }

  function dispose(): void {
    cache.dispose()
    // A closed channel takes no messages.
    tabUser = undefined
    tabs?.close()
  }

  return {
    getToken: (request) => cache.getToken(request),
    now: cache.now,
    invalidate,
    revokeTokens: (call) => sendAndInvalidate('POST v1/token/revoke', call),
    getIdentity: async (call) => (await send('GET v1/identity', call, isIdentity)).body as IdentityResponse,
    deleteIdentity: (call) => sendAndInvalidate('DELETE v1/identity', call),
    dispose,
    [Symbol.dispose]: dispose,
  }
}

function isIdentity(body: unknown): boolean {
  return !!(body as Partial<IdentityResponse> | undefined)?.communicationUserId
}

function isToken(body: unknown): boolean {
  const { token, expiresOn = '' } = (body ?? {}) as Partial<TokenResponse>
  return isIdentity(body) && !!token && Date.parse(expiresOn) > 0
}

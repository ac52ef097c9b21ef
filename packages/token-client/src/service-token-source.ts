import { ServiceClock, systemClock } from './clock.ts'
import type { IdentityResponse, TeamsTokenResponse, TokenResponse } from './contract.ts'
import { personOf, ServiceCalls, type GetSignInToken } from './service-calls.ts'
import { Tabs } from './tabs.ts'
import { TokenCache, type FetchContext } from './token-cache.ts'
import { TokenError } from './token-error.ts'
import type { TokenRequest, TokenSource, TokenSourceOptions } from './token-source.ts'

export interface ServiceTokenSourceOptions extends TokenSourceOptions<TokenResponse> {
  /** Of the token service, such as `https://tokens.example.com`. Plain http only on this machine. */
  readonly url: string | URL
  /** The token of the app's own sign-in, for the service: from MSAL, `oidc-client-ts`, or whatever the app uses. */
  readonly getSignInToken: GetSignInToken
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch
  /** Allows plain http to another machine, where the network in between is the app's own. */
  readonly allowInsecureConnection?: boolean
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

/** `accepted`: recorded, and done by the service as soon as Azure Communication Services can be reached. */
export type Completion = 'done' | 'accepted'

/** The token service, as its signed-in user sees it. Every method rejects with a `TokenError`, or with the signal's reason. */
export interface ServiceTokenSource extends TokenSource<TokenResponse> {
  /** Revokes all of the user's communication access tokens. */
  revokeTokens(options?: CallOptions): Promise<Completion>
  /** `identity-unknown` before the first token. */
  getIdentity(options?: CallOptions): Promise<IdentityResponse>
  /** Erases the user's communication identity. The next token comes with a new one. */
  deleteIdentity(options?: CallOptions): Promise<Completion>
  /** A token of the Teams user in exchange for one of Entra ID. It is not kept: see `customTokenSource`. */
  exchangeTeamsToken(entraToken: string, options?: CallOptions): Promise<TeamsTokenResponse>
}

/** The access tokens of the signed-in user, from the token service. Throws a `TypeError` at an address that will not do. */
export function tokenSource(options: ServiceTokenSourceOptions): ServiceTokenSource {
  return new ServiceSource(options)
}

class ServiceSource extends TokenCache<TokenResponse> implements ServiceTokenSource {
  readonly #calls: ServiceCalls
  readonly #tabs: Tabs | undefined
  readonly #service: string
  /** Whom the tabs of the app share tokens of. */
  #user: string | undefined

  constructor({ url, getSignInToken, fetch, allowInsecureConnection = false, ...rest }: ServiceTokenSourceOptions) {
    const clock = new ServiceClock(rest.clock ?? systemClock)
    super((request, context) => this.#fetch(request, context), { ...rest, clock })
    const base = readUrl(url, allowInsecureConnection)
    this.#service = base.href
    // Called as the global function that it is, even when it is replaced later.
    const send: typeof globalThis.fetch = fetch ?? ((...parameters) => globalThis.fetch(...parameters))
    this.#calls = new ServiceCalls({ url: base, getSignInToken, fetch: send, clock })
    this.#tabs = Tabs.open(({ user, fetched }) => {
      if (user !== this.#user) return
      if (fetched) this.accept(fetched.request, fetched.token)
      else super.invalidate()
    })
  }

  override invalidate(): void {
    super.invalidate()
    if (this.#user !== undefined) this.#tabs?.post({ user: this.#user })
  }

  async revokeTokens(options?: CallOptions): Promise<Completion> {
    return this.#end({ method: 'POST', path: 'v1/token/revoke', ...options })
  }

  async getIdentity(options?: CallOptions): Promise<IdentityResponse> {
    const { body } = await this.#calls.perform({ method: 'GET', path: 'v1/identity', ...options })
    return body as IdentityResponse
  }

  async deleteIdentity(options?: CallOptions): Promise<Completion> {
    return this.#end({ method: 'DELETE', path: 'v1/identity', ...options })
  }

  async exchangeTeamsToken(entraToken: string, options?: CallOptions): Promise<TeamsTokenResponse> {
    const body = { token: entraToken }
    const answer = await this.#calls.perform({ method: 'POST', path: 'v1/teams/token', body, ...options })
    return answer.body as TeamsTokenResponse
  }

  override dispose(): void {
    super.dispose()
    this.#tabs?.close()
  }

  /** The service hands out none of the former tokens any more, whether or not its answer arrives. */
  async #end(call: { method: 'POST' | 'DELETE'; path: string; signal?: AbortSignal }): Promise<Completion> {
    try {
      const { status } = await this.#calls.perform(call)
      return status === 202 ? 'accepted' : 'done'
    } finally {
      this.invalidate()
    }
  }

  async #fetch(request: TokenRequest, { signal, refresh, identify }: FetchContext): Promise<TokenResponse> {
    const signInToken = await this.#calls.getSignInToken(signal)
    const person = personOf(signInToken)
    const isSame = person === undefined || identify(person)
    const user = person && `${this.#service} ${person}`
    this.#user = user
    const body = { ...request, ...(refresh && isSame && { refresh }) }
    const ask = async () => {
      const answer = await this.#calls.perform({ method: 'POST', path: 'v1/token', signInToken, body, signal })
      if (isTokenResponse(answer.body)) return answer.body
      throw new TokenError('response-invalid', 'POST v1/token: no token came.')
    }
    return this.#tabs && user !== undefined ? this.#tabs.fetchOnce(user, request, signal, ask) : ask()
  }
}

function readUrl(url: string | URL, allowInsecureConnection: boolean): URL {
  const { protocol, hostname, pathname } = new URL(url)
  const isLocal = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  if (protocol !== 'https:' && !(protocol === 'http:' && (isLocal || allowInsecureConnection))) {
    throw new TypeError(`url must be https:, not ${protocol}//${hostname}.`)
  }
  return new URL(pathname.endsWith('/') ? pathname : `${pathname}/`, url)
}

function isTokenResponse(body: unknown): body is TokenResponse {
  const { communicationUserId, token, expiresOn } = (body || {}) as Partial<TokenResponse>
  return !!communicationUserId && !!token && Date.parse(expiresOn ?? '') > 0
}

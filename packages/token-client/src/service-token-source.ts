import { abortable, throwIfAborted } from './abort.ts'
import { leastSkewMs } from './clock.ts'
import type { IdentityResponse, TokenResponse } from './contract.ts'
import { personOf, ServiceCalls, type Answer, type Call, type GetSignInToken } from './service-calls.ts'
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
}

/** The access tokens of the signed-in user, from the token service. Throws a `TypeError` at an address that will not do. */
export function tokenSource(options: ServiceTokenSourceOptions): ServiceTokenSource {
  return new ServiceSource(options)
}

class ServiceSource extends TokenCache<TokenResponse> implements ServiceTokenSource {
  readonly #calls: ServiceCalls
  readonly #tabs: Tabs | undefined
  readonly #service: string
  /** How far this machine's clock is behind the service's, in milliseconds. */
  #skew = 0
  /** Whom the tabs of the app share tokens of. */
  #user: string | undefined

  constructor({ url, getSignInToken, fetch, allowInsecureConnection = false, ...rest }: ServiceTokenSourceOptions) {
    super((request, context) => this.#fetch(request, context), rest)
    const base = readUrl(url, allowInsecureConnection)
    this.#service = base
    this.#calls = new ServiceCalls({ url: base, getSignInToken, fetch, onDate: (date) => this.#learn(date) })
    this.#tabs = Tabs.open(({ user, fetched }) => {
      if (user !== this.#user) return
      if (fetched) this.accept(fetched.request, fetched.token)
      else super.invalidate()
    })
  }

  override now(): number {
    return super.now() + this.#skew
  }

  override invalidate(): void {
    if (this.#user !== undefined) this.#tabs?.post({ user: this.#user })
    this.#user = undefined
    super.invalidate()
  }

  async revokeTokens(options?: CallOptions): Promise<Completion> {
    return this.#end({ method: 'POST', path: 'v1/token/revoke', ...options })
  }

  async getIdentity(options?: CallOptions): Promise<IdentityResponse> {
    return (await this.#perform({ method: 'GET', path: 'v1/identity', ...options })).body as IdentityResponse
  }

  async deleteIdentity(options?: CallOptions): Promise<Completion> {
    return this.#end({ method: 'DELETE', path: 'v1/identity', ...options })
  }

  override dispose(): void {
    super.dispose()
    this.#tabs?.close()
  }

  #perform({ signal, ...call }: Call): Promise<Answer> {
    return abortable(
      this.limit((limit) => this.#calls.perform({ ...call, signal: limit })),
      signal,
    )
  }

  /** Once it was sent, the service may have done it, whether or not its answer arrives. */
  async #end(call: Call): Promise<Completion> {
    try {
      const { status } = await this.#perform(call)
      this.invalidate()
      return status === 202 ? 'accepted' : 'done'
    } catch (error) {
      if (!(error instanceof TokenError && error.code === 'sign-in-failed')) this.invalidate()
      throw error
    }
  }

  #learn(date: string | null): number {
    const time = Date.parse(date ?? '')
    const skew = time - super.now()
    if (Math.abs(skew - this.#skew) >= leastSkewMs) this.#skew = Math.abs(skew) < leastSkewMs ? 0 : skew
    return time || this.now()
  }

  async #fetch(request: TokenRequest, { signal, refresh, identify }: FetchContext): Promise<TokenResponse> {
    const signInToken = await this.#calls.getSignInToken(signal)
    throwIfAborted(signal)
    const person = personOf(signInToken)
    const isSame = person === undefined || identify(person)
    const user = person && `${this.#service} ${person}`
    this.#user = user
    const body = { ...request, ...(refresh && isSame && { refresh }) }
    const ask = async () => {
      const answer = await this.#calls.perform({ method: 'POST', path: 'v1/token', signInToken, body, signal })
      if (isTokenResponse(answer.body)) return answer.body
      throw new TokenError('response-invalid', 'POST v1/token: no token.')
    }
    return this.#tabs && user !== undefined ? this.#tabs.fetchOnce(user, request, signal, ask) : ask()
  }
}

/** Without query and fragment, with a slash at its end. Read by a pattern: `URL` is incomplete in React Native. */
function readUrl(url: string | URL, allowInsecureConnection: boolean): string {
  const address = String(url).replace(/\/?([?#].*)?$/s, '/')
  const pattern = allowInsecureConnection
    ? /^https?:/i
    : /^(https:|http:\/\/([\w.-]+\.localhost|localhost|127(\.\d+){3}|\[::1])(:\d+)?\/)/i
  if (!pattern.test(address)) throw new TypeError('url must begin with https://.')
  return address
}

function isTokenResponse(body: unknown): body is TokenResponse {
  const { communicationUserId, token, expiresOn } = (body || {}) as Partial<TokenResponse>
  return !!communicationUserId && !!token && Date.parse(expiresOn ?? '') > 0
}

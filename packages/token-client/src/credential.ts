import { AzureCommunicationTokenCredential } from '@azure/communication-common'
import type { TokenResponse } from './contract.ts'
import { TokenError } from './token-error.ts'
import type { AccessToken, TokenRequest, TokenSource } from './token-source.ts'

/** Azure's clients request a token two minutes before it expires, so they cache one for at most three minutes. */
const maxLifetimeMs = 5 * 60_000

type GetToken = AzureCommunicationTokenCredential['getToken']

/**
 * Creates the credential that Azure's `ChatClient` and `CallClient` take. The source caches and refreshes its tokens.
 *
 * A credential belongs to one communication identity. After another user signed in, or the identity was deleted, it rejects
 * with `invalidated`: create a new one. Clients that cache tokens notice within minutes.
 *
 * @param source Provides the tokens. Disposing the credential does not dispose it.
 * @param request Properties of the tokens.
 * @returns A credential for Azure's clients. Its `getToken` rejects like the source's, or with `disposed`.
 * @example
 *   const tokens = tokenSource({ url: 'https://tokens.example.com', getSignInToken })
 *   const { endpoint } = await tokens.getToken()
 *   const chat = new ChatClient(endpoint, tokenCredential(tokens, { scopes: ['chat'] }))
 */
export function tokenCredential(source: TokenSource, request: TokenRequest = {}): AzureCommunicationTokenCredential {
  return new TokenSourceCredential(source, request)
}

/** Bypasses the cache of the base class, whose background refresh ends at the first failure with an unhandled rejection. */
class TokenSourceCredential extends AzureCommunicationTokenCredential {
  readonly #source: TokenSource
  readonly #request: TokenRequest
  #communicationUserId: string | undefined
  #isDisposed = false

  constructor(source: TokenSource, request: TokenRequest) {
    super({ tokenRefresher: async () => (await source.getToken(request)).token })
    this.#source = source
    this.#request = request
  }

  override async getToken({ abortSignal }: Parameters<GetToken>[0] = {}): ReturnType<GetToken> {
    this.#assertNotDisposed()
    // The signals of Azure's older libraries lack only members that are not used here.
    const signal = abortSignal && { signal: abortSignal as AbortSignal }
    const accessToken: AccessToken & Partial<TokenResponse> = await this.#source.getToken({
      ...this.#request,
      ...signal,
    })
    this.#assertNotDisposed()
    const { token, expiresOn, communicationUserId } = accessToken
    this.#communicationUserId ??= communicationUserId
    if (communicationUserId !== this.#communicationUserId) {
      throw new TokenError('invalidated', 'Identity changed: create a new credential.')
    }
    // Azure's clients compare the expiry with the machine's clock, which may be wrong.
    const lifetimeMs = Math.min(Date.parse(expiresOn) - this.#source.now(), maxLifetimeMs)
    return { token, expiresOnTimestamp: Date.now() + lifetimeMs }
  }

  override dispose(): void {
    this.#isDisposed = true
    super.dispose()
  }

  #assertNotDisposed(): void {
    if (this.#isDisposed) throw new TokenError('disposed', 'Credential disposed.')
  }
}

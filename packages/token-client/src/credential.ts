import { AzureCommunicationTokenCredential } from '@azure/communication-common'
import type { TokenResponse } from './contract.ts'
import { TokenError } from './token-error.ts'
import type { AccessToken, TokenRequest, TokenSource } from './token-source.ts'

/** They ask again two minutes earlier: a token that was invalidated is used for three minutes at the most. */
const longestKeptMs = 5 * 60_000

type GetToken = AzureCommunicationTokenCredential['getToken']

/**
 * The credential that Azure's `ChatClient` and `CallClient` take, fed by a source, which does all the refreshing. It is for
 * one communication identity: when another one comes, after another user signed in or the identity was deleted, it refuses
 * with `invalidated`, and a new credential is needed; clients that keep tokens notice within minutes. Disposing it leaves the source as it is.
 */
export function tokenCredential(source: TokenSource, request: TokenRequest = {}): AzureCommunicationTokenCredential {
  return new TokenSourceCredential(source, request)
}

/** Azure's own cache is left out: its refresh ahead of time ends at the first failure, which nobody catches. */
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
    this.#assertUsable()
    // What Azure's older libraries bring is no `AbortSignal`, but has all that is used of one.
    const signal = abortSignal && { signal: abortSignal as AbortSignal }
    const answer: AccessToken & Partial<TokenResponse> = await this.#source.getToken({ ...this.#request, ...signal })
    this.#assertUsable()
    const { token, expiresOn, communicationUserId } = answer
    this.#communicationUserId ??= communicationUserId
    if (communicationUserId !== this.#communicationUserId) {
      throw new TokenError('invalidated', 'The identity changed: make a new credential.')
    }
    // Azure's clients keep it, too, and compare its end with this machine's clock, which may be wrong.
    const left = Math.min(Date.parse(expiresOn) - this.#source.now(), longestKeptMs)
    return { token, expiresOnTimestamp: Date.now() + left }
  }

  override dispose(): void {
    this.#isDisposed = true
    super.dispose()
  }

  #assertUsable(): void {
    if (this.#isDisposed) throw new TokenError('disposed', 'It was disposed.')
  }
}

import { AzureCommunicationTokenCredential } from '@azure/communication-common'
import { abort, abortable, throwIfAborted } from './abort.ts'
import type { TokenResponse } from './contract.ts'
import { TokenError } from './token-error.ts'
import type { AccessToken, GetTokenOptions, TokenRequest, TokenSource } from './token-source.ts'

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
  let identity: string | undefined
  const disposal = new AbortController()

  /** Bypasses the cache of the base class, whose background refresh ends at the first failure with an unhandled rejection. */
  class Credential extends AzureCommunicationTokenCredential {
    override async getToken({ abortSignal }: Parameters<GetToken>[0] = {}): ReturnType<GetToken> {
      throwIfAborted(disposal.signal)
      // The signals of Azure's older libraries lack only members that are not used here.
      const options: GetTokenOptions = { ...request, signal: abortSignal as AbortSignal | undefined }
      const accessToken: AccessToken & Partial<TokenResponse> = await abortable(
        source.getToken(options),
        disposal.signal,
      )
      const { token, expiresOn, communicationUserId } = accessToken
      if (communicationUserId !== (identity ??= communicationUserId))
        throw new TokenError('invalidated', 'Identity changed: create a new credential.')
      // Azure's clients compare the expiry with the machine's clock, which may be wrong.
      const lifetimeMs = Math.min(Date.parse(expiresOn) - source.now(), maxLifetimeMs)
      return { token, expiresOnTimestamp: Date.now() + lifetimeMs }
    }

    override dispose(): void {
      abort(disposal, new TokenError('disposed', 'Credential disposed.'))
      super.dispose()
    }
  }

  return new Credential({ tokenRefresher: async () => (await source.getToken(request)).token })
}

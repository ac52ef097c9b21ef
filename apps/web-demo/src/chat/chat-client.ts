import type { TokenSource } from '@acs-kit/token-client'
import { tokenCredential } from '@acs-kit/token-client/credential'
import { ChatClient, type ChatClientOptions } from '@azure/communication-chat'
import { startRequest } from '../requests.ts'

type Policy = NonNullable<ChatClientOptions['additionalPolicies']>[number]['policy']
type Send = Policy['sendRequest']

/** Creates Azure's client for the token source. Its requests are logged. Reports each token that it renewed. */
export function createChatClient(endpoint: string, tokens: TokenSource, onRenewed: () => void): ChatClient {
  return new ChatClient(endpoint, tokenCredential(tokens), {
    additionalPolicies: [{ policy: createRenewalPolicy(tokens, onRenewed), position: 'perRetry' }],
    retryOptions: { maxRetries: 2, retryDelayInMs: 300 },
  })
}

/** Renews a token that was revoked or has expired. Azure's own policy would send it for three more minutes. */
function createRenewalPolicy(tokens: TokenSource, onRenewed: () => void): Policy {
  let renewal: Promise<string> | undefined

  async function getToken(): Promise<string> {
    return (await tokens.getToken()).token
  }

  async function renew(rejected: string): Promise<string> {
    if ((await getToken()) === rejected) tokens.invalidate()
    const token = await getToken()
    onRenewed()
    return token
  }

  return {
    name: 'renewalPolicy',
    async sendRequest(request, next) {
      const token = await getToken()
      request.headers.set('Authorization', `Bearer ${token}`)
      const response = await sendLogged(request, next)
      if (response.status !== 401) return response
      renewal ??= renew(token).finally(() => (renewal = undefined))
      request.headers.set('Authorization', `Bearer ${await renewal}`)
      return sendLogged(request, next)
    },
  }
}

async function sendLogged(request: Parameters<Send>[0], next: Parameters<Send>[1]): ReturnType<Send> {
  const { method, url, body } = request
  const log = startRequest({ method, url, requestBody: typeof body === 'string' ? body : undefined })
  try {
    const response = await next(request)
    log(response.status, response.bodyAsText ?? undefined)
    return response
  } catch (error) {
    log('unreachable')
    throw error
  }
}

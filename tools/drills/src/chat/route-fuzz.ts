import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { HttpRequest, HttpResponse } from '@acs-kit/test-support/http-client'
import { ChatUser } from '@acs-kit/test-support/chat-user'
import { fuzz, type FuzzOptions } from '../fuzz/fuzz.ts'
import { findChatFlaw } from './documented-responses.ts'
import { FuzzTargets, threadPath } from './fuzz-targets.ts'
import { generatedRequest, type GeneratedChatRequest } from './generated-request.ts'

/**
 * Fuzzes the chat routes and their signaling. Threads and messages that are created serve later requests. Returns how often each
 * response occurred, and the routes that served a request.
 */
export async function fuzzChatRoutes(emulator: EmulatorProcess, options: FuzzOptions) {
  const create = (scope?: string) => ChatUser.create(emulator, scope)
  const participant = await create()
  const limited = await create('chat.join.limited')
  const others = [limited, await create(), await create(), await create()]
  const tokens: Record<GeneratedChatRequest['token'], string | undefined> = {
    participant: participant.token,
    limited: limited.token,
    stranger: (await create()).token,
    voip: (await create('voip')).token,
    malformed: 'x.y.z',
    none: undefined,
  }
  const threadId = await participant.createThread('fuzz', others)
  const targets = new FuzzTargets({ threadId, messageId: await participant.sendMessage(threadId, 'x') })

  const toRequest = (generated: GeneratedChatRequest): HttpRequest => {
    const { method, query, headers, body, isChunked } = generated
    const { threadId, messageId } = targets.choose(generated)
    const toPath = (id: string) => (generated.isIdEncoded ? encodeURIComponent(id) : id.replaceAll('é', ''))
    const path = generated.path
      .replaceAll('{thread}', () => toPath(threadId))
      .replaceAll('{message}', () => toPath(messageId))
    const token = tokens[generated.token]
    return {
      method,
      path: path + query,
      headers: { ...headers, ...(token && { authorization: `Bearer ${token}`, 'x-skypetoken': token }) },
      body: typeof body === 'string' ? fillIn(body, others, messageId) : body,
      isChunked,
    }
  }

  const served = new Set<string>()
  const responses = await fuzz(
    generatedRequest,
    options,
    emulator.client,
    toRequest,
    (response, request, generated) => {
      targets.update(response, generated)
      if (response.status < 300 && generated.isUsual) served.add(`${generated.method} ${generated.path}`)
      return findChatFlaw(response, { isHead: request.method === 'HEAD' }) ?? findAccess(response, generated)
    },
  )
  return { responses, served }
}

function fillIn(body: string, others: readonly ChatUser[], messageId: string): string {
  return body
    .replaceAll(/\{user(\d)\}/g, (_, index) => others[Number(index)]!.id)
    .replaceAll('{message}', () => messageId)
}

/** Returns how a response served a user without access, or undefined. */
function findAccess({ status }: HttpResponse, { token, path, method }: GeneratedChatRequest): string | undefined {
  if (status >= 300 || method === 'OPTIONS') return undefined
  if (token === 'none' || token === 'malformed') return 'a request without a valid token was served'
  if (token === 'voip') return 'a token without a scope of chat was accepted'
  const isInThread = path.startsWith(threadPath)
  return token === 'stranger' && isInThread ? 'a user who is not a participant was served' : undefined
}

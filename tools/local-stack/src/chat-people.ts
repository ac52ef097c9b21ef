// Two people chat with tokens of the service. A process of its own, because the chat SDK has events only in its build for browsers,
// whose globals this program supplies.
import { registerHooks } from 'node:module'
import { parseArgs } from 'node:util'
import { tokenSource } from '@acs-kit/token-client'
import { tokenCredential } from '@acs-kit/token-client/credential'
// @ts-expect-error -- the package has no types
import node from 'xmlhttprequest-ssl'
import { runProgram } from './run-program.ts'
import { signIn } from './sign-in.ts'
import { Transcript } from './transcript.ts'

class XMLHttpRequest extends (node.XMLHttpRequest as new () => object) {
  /** The SDK requires this member before it sends requests across origins. */
  withCredentials = false
}
Object.assign(globalThis, { XMLHttpRequest, self: globalThis, location: new URL('http://localhost/') })
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@azure/communication-chat'
      ? next(specifier, { ...context, conditions: ['browser', ...context.conditions] })
      : next(specifier, context),
})
const { ChatClient } = await import('@azure/communication-chat')

const eventTimeoutMs = 15_000
const { issuer = '', service = '' } = parseArgs({
  options: { issuer: { type: 'string' }, service: { type: 'string' } },
}).values

/** Signs a user in, and opens a chat client with their tokens. Disposal deletes the identity. */
async function join(user: string) {
  const tokens = tokenSource({ url: service, getSignInToken: await signIn(issuer, user) })
  const { endpoint, communicationUserId } = await tokens.getToken({ scopes: ['chat'] })
  const chat = new ChatClient(endpoint, tokenCredential(tokens, { scopes: ['chat'] }))
  return {
    communicationUserId,
    chat,
    async [Symbol.asyncDispose]() {
      await chat.stopRealtimeNotifications()
      await tokens.deleteIdentity()
      tokens.dispose()
    },
  }
}

type Person = Awaited<ReturnType<typeof join>>

async function run(signal: AbortSignal): Promise<void> {
  const transcript = new Transcript()
  await using alice = await join('alice')
  await using bob = await join('bob')
  transcript.printStep('signed in', 'alice and bob, each with a chat token of the service')
  // Events before this one are lost.
  const connected = new Promise<void>((resolve) => bob.chat.on('realTimeNotificationConnected', resolve))
  await bob.chat.startRealtimeNotifications()
  await withDeadline('no real-time connection', connected, signal)
  transcript.printStep('connected', 'bob, for events')
  const { chatThread } = await alice.chat.createChatThread(
    { topic: 'Lunch' },
    { participants: [{ id: { communicationUserId: bob.communicationUserId }, displayName: 'Bob' }] },
  )
  const threadId = chatThread!.id
  transcript.printStep('thread', `created by alice, with bob: ${threadId}`)
  const received = new Promise<string>((resolve) =>
    bob.chat.on('chatMessageReceived', ({ senderDisplayName, message }) => resolve(`${senderDisplayName}: ${message}`)),
  )
  await send(alice, threadId, 'Alice', 'Noon?')
  transcript.printStep('event', `received by bob: ${await withDeadline('no event', received, signal)}`)
  await send(bob, threadId, 'Bob', 'Yes.')
  transcript.printStep('messages', `listed by alice: ${(await listTexts(alice, threadId)).join(' ')}`)
  await alice.chat.deleteChatThread(threadId)
  transcript.printStep('deleted', 'the thread and both identities')
}

/** Rejects if the signal is aborted, or if a promise is still pending after `eventTimeoutMs`. */
async function withDeadline<T>(failure: string, promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(eventTimeoutMs)])
  const aborted = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener('abort', () =>
      reject(signal.aborted ? signal.reason : new Error(`${failure} within ${eventTimeoutMs / 1000} s: try again`)),
    )
  })
  return Promise.race([promise, aborted])
}

async function send({ chat }: Person, threadId: string, senderDisplayName: string, content: string): Promise<void> {
  await chat.getChatThreadClient(threadId).sendMessage({ content }, { senderDisplayName })
}

async function listTexts({ chat }: Person, threadId: string): Promise<string[]> {
  const texts: string[] = []
  for await (const { type, content, senderDisplayName } of chat.getChatThreadClient(threadId).listMessages()) {
    if (type === 'text') texts.unshift(`${senderDisplayName}: ${content!.message}`)
  }
  return texts
}

await runProgram(run)
// The SDK may still retry the registration of a client that has stopped.
process.exit()

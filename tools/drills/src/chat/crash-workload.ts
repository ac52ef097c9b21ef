import { randomUUID } from 'node:crypto'
import type { ChatUser } from '@acs-kit/test-support/chat-user'
import type { Random } from '@acs-kit/test-support/random'
import type { ChatLedger, Client, LedgerMessage, LedgerThread } from './crash-ledger.ts'

const minThreads = 2
const maxThreads = 8

/** `gone`: the thread was deleted meanwhile. */
type Outcome = 'acknowledged' | 'lost' | 'gone'

/**
 * Creates, renames and deletes threads, sends, edits and deletes messages, adds and removes a guest, and records what was
 * acknowledged. Resolves when the connection is lost. Throws if a request is rejected without reason.
 */
export async function runChatWorkload(
  ledger: ChatLedger,
  client: Client,
  random: Random,
  onResponse: () => void,
): Promise<void> {
  const { user } = client
  const sendNext = () => {
    const threads = ledger.threads.filter(({ state }) => state === 'live')
    const chance = random.next()
    if (threads.length < minThreads || (threads.length < maxThreads && chance < 0.05)) {
      return createThread(ledger, user)
    }
    const thread = threads[random.below(threads.length)]!
    const messages = thread.messages.filter((message) => message.sender === user && isKnown(message))
    const message = messages[random.below(messages.length)]
    const isOwn = thread.creation.creator === user
    if (chance < 0.55 || !message) return sendMessage(thread, user)
    if (chance < 0.7) return editMessage(thread, message)
    if (chance < 0.8) return deleteMessage(thread, message)
    if (chance < 0.92 || !isOwn) return toggleGuest(thread, client)
    if (chance < 0.98 || threads.length <= minThreads) return renameThread(thread)
    return deleteThread(thread)
  }
  let outcome: Outcome
  do {
    outcome = await sendNext()
    onResponse()
    if (outcome === 'acknowledged') ledger.changes++
  } while (outcome !== 'lost')
}

function isKnown({ id, possible }: LedgerMessage): boolean {
  return id !== undefined && possible.length === 1 && possible[0] !== undefined
}

async function createThread(ledger: ChatLedger, creator: ChatUser): Promise<Outcome> {
  const creation = { creator, topic: randomUUID(), repeatabilityId: randomUUID() }
  const id = await ledger.create(creation).catch(ignoreLoss)
  if (id === undefined) ledger.lostCreations.push(creation)
  else ledger.addThread(id, creation)
  return id === undefined ? 'lost' : 'acknowledged'
}

async function sendMessage(thread: LedgerThread, sender: ChatUser): Promise<Outcome> {
  const text = randomUUID()
  const { outcome, body } = await send(thread, sender, 'POST', '/messages', { content: text })
  if (outcome === 'gone') return outcome
  const id = outcome === 'acknowledged' ? (JSON.parse(body) as { id: string }).id : undefined
  thread.messages.push({ text, sender, id, possible: [text] })
  return outcome
}

async function editMessage(thread: LedgerThread, message: LedgerMessage): Promise<Outcome> {
  const content = randomUUID()
  // Not to be changed again before the response.
  message.possible = [...message.possible, content]
  const { outcome } = await send(thread, message.sender, 'PATCH', `/messages/${message.id}`, { content })
  if (outcome === 'acknowledged') message.possible = [content]
  return outcome
}

async function deleteMessage(thread: LedgerThread, message: LedgerMessage): Promise<Outcome> {
  message.possible = [...message.possible, undefined]
  const { outcome } = await send(thread, message.sender, 'DELETE', `/messages/${message.id}`)
  if (outcome === 'acknowledged') message.possible = [undefined]
  return outcome
}

async function toggleGuest(thread: LedgerThread, { user, guest }: Client): Promise<Outcome> {
  const isPresent = thread.guests.get(guest.id)!
  const { outcome } = isPresent
    ? await send(thread, user, 'POST', '/participants/:remove', guest.identifier)
    : await send(thread, user, 'POST', '/participants/:add', {
        participants: [{ communicationIdentifier: guest.identifier }],
      })
  if (outcome === 'acknowledged') thread.guests.set(guest.id, !isPresent)
  if (outcome === 'lost') thread.guests.set(guest.id, undefined)
  return outcome
}

async function renameThread(thread: LedgerThread): Promise<Outcome> {
  const topic = randomUUID()
  const { outcome } = await send(thread, thread.creation.creator, 'PATCH', '', { topic })
  if (outcome === 'acknowledged') thread.topics = [topic]
  if (outcome === 'lost') thread.topics.push(topic)
  return outcome
}

async function deleteThread(thread: LedgerThread): Promise<Outcome> {
  // The requests of other clients may be rejected from now on.
  thread.state = 'unknown'
  const { outcome } = await send(thread, thread.creation.creator, 'DELETE', '')
  if (outcome === 'acknowledged') thread.state = 'deleted'
  return outcome
}

type Method = Parameters<ChatUser['toRequest']>[0]

async function send(
  thread: LedgerThread,
  user: ChatUser,
  method: Method,
  path: string,
  content?: object,
): Promise<{ outcome: Outcome; body: string }> {
  const request = user.toRequest(method, `/${thread.id}${path}`, content)
  const response = await user.server.client.send(request).catch(ignoreLoss)
  if (response === undefined) return { outcome: 'lost', body: '' }
  const { status, text: body } = response
  if (status < 300) return { outcome: 'acknowledged', body }
  if (thread.state !== 'live' && (status === 403 || status === 404)) return { outcome: 'gone', body }
  throw new Error(`unexpected response to ${method} ${path} in a thread: ${status} ${body}`)
}

/** Handles the error of a lost connection. */
function ignoreLoss(error: unknown): undefined {
  if (/unexpected response/.test(String(error))) throw error
}

import type { ChatUser } from '@acs-kit/test-support/chat-user'
import type { ChatLedger, LedgerMessage, LedgerThread } from './crash-ledger.ts'

interface Identifier {
  readonly rawId: string
}

interface Participant {
  readonly communicationIdentifier: Identifier
}

/** A message as the service lists it. */
interface ListedMessage {
  readonly id: string
  readonly type: string
  readonly sequenceId: string
  readonly content?: { readonly message?: string; readonly topic?: string; readonly participants?: Participant[] }
  readonly senderCommunicationIdentifier?: Identifier
  readonly deletedOn?: string
}

/**
 * Compares an emulator with the ledger. Throws with everything that the emulator has acknowledged and lost, has only half done
 * or repeated. Then records what became of the requests without a response, which must then stay the same.
 */
export async function auditChat(ledger: ChatLedger): Promise<void> {
  const losses: string[] = []
  for (const creation of ledger.lostCreations) ledger.addThread(await ledger.create(creation), creation)
  ledger.lostCreations = []
  for (const thread of ledger.threads) {
    for (const loss of await auditThread(ledger, thread)) losses.push(`${thread.id}: ${loss}`)
  }
  if (losses.length > 0) throw new Error(losses.join('\n'))
}

async function auditThread(ledger: ChatLedger, thread: LedgerThread): Promise<string[]> {
  const { creation, id, state } = thread
  const { creator } = creation
  const { status, text } = await creator.server.client.send(creator.toRequest('GET', `/${id}`))
  if (status !== 200) {
    thread.state = 'deleted'
    const isGone = status === 403 || status === 404
    return state === 'live' || !isGone ? [`it is ${state}, and got the status ${status}: ${text}`] : []
  }
  if (state === 'deleted') return ['it was deleted, but exists']
  thread.state = 'live'
  const { topic } = JSON.parse(text) as { topic: string }
  const participants = await listAll<Participant>(creator, `/${id}/participants`)
  const messages = (await listAll<ListedMessage>(creator, `/${id}/messages`)).toReversed()
  const repeated = await ledger.create(creation)
  const sameTopic = (await listAll<{ topic: string }>(creator, '')).filter((item) => item.topic === topic)
  return [
    ...(repeated === id ? [] : [`its repeated creation made ${repeated}`]),
    ...(sameTopic.length === 1 ? [] : [`${sameTopic.length} threads have its topic`]),
    ...findTopicLosses(thread, topic),
    ...findSequenceLosses(messages),
    ...findHalfDone(messages, topic, participants),
    ...findGuestLosses(thread, participants),
    ...findMessageLosses(thread, messages),
  ]
}

function findTopicLosses(thread: LedgerThread, topic: string): string[] {
  const { topics } = thread
  thread.topics = [topic]
  return topics.includes(topic) ? [] : [`its topic is ${topic}, expected ${topics.join(' or ')}`]
}

/** Sequence ids are the numbers from 1, in the order of the message ids. */
function findSequenceLosses(messages: readonly ListedMessage[]): string[] {
  const wrong = messages.filter(({ id, sequenceId }, index) => {
    const isLater = index === 0 || Number(id) > Number(messages[index - 1]!.id)
    return sequenceId !== String(index + 1) || !isLater
  })
  return wrong
    .slice(0, 1)
    .map(({ id }) => `the ids of the message ${id} are repeated or not in order, or one is missing`)
}

/** The system messages must lead to the state of the thread: both belong to the same change. */
function findHalfDone(
  messages: readonly ListedMessage[],
  topic: string,
  participants: readonly Participant[],
): string[] {
  const expected = new Set<string>()
  let lastTopic: string | undefined
  for (const { type, content } of messages) {
    if (type === 'topicUpdated') lastTopic = content?.topic
    for (const id of toIds(content?.participants ?? [])) {
      if (type === 'participantAdded') expected.add(id)
      else expected.delete(id)
    }
  }
  const present = toIds(participants)
  return [
    ...(lastTopic === topic ? [] : [`its topic is ${topic}, but the last message about it says ${lastTopic}`]),
    ...(present.length === expected.size && present.every((id) => expected.has(id))
      ? []
      : [`its participants are ${present.join(', ')}, but its messages say ${[...expected].join(', ')}`]),
  ]
}

function findGuestLosses({ guests }: LedgerThread, participants: readonly Participant[]): string[] {
  const present = new Set(toIds(participants))
  return [...guests].flatMap(([id, expected]) => {
    const isPresent = present.has(id)
    guests.set(id, isPresent)
    if (expected === undefined || expected === isPresent) return []
    return [`${id} was ${expected ? 'added' : 'removed'}, but is ${isPresent ? 'still' : 'not'} a participant`]
  })
}

function findMessageLosses(thread: LedgerThread, listed: readonly ListedMessage[]): string[] {
  const remaining = new Map(listed.filter(({ type }) => type === 'text').map((message) => [message.id, message]))
  const losses = thread.messages.flatMap((message) => {
    const found = message.id === undefined ? findByText(remaining, message) : remaining.get(message.id)
    if (!found) return message.id === undefined ? [] : [`the message ${message.id} is missing`]
    remaining.delete(found.id)
    message.id = found.id
    const content = found.deletedOn === undefined ? found.content?.message : undefined
    const { possible, sender } = message
    if (!possible.includes(content)) {
      return [`the message ${found.id} has the content ${content}, expected ${possible.join(' or ')}`]
    }
    message.possible = [content]
    const senderId = found.senderCommunicationIdentifier?.rawId
    return senderId === sender.id ? [] : [`the message ${found.id} has the sender ${senderId}`]
  })
  // Those without a response that were not executed.
  const stored = thread.messages.filter(({ id }) => id !== undefined)
  thread.messages.splice(0, Infinity, ...stored)
  return [...losses, ...Array.from(remaining.keys(), (id) => `the message ${id} was not sent, or is repeated`)]
}

function findByText(listed: ReadonlyMap<string, ListedMessage>, { text }: LedgerMessage): ListedMessage | undefined {
  return [...listed.values()].find(({ content }) => content?.message === text)
}

function toIds(participants: readonly Participant[]): string[] {
  return participants.map(({ communicationIdentifier }) => communicationIdentifier.rawId)
}

/** Lists all items of a path below `/chat/threads`. */
async function listAll<Item>(user: ChatUser, path: string): Promise<Item[]> {
  const items: Item[] = []
  let { path: next } = user.toRequest('GET', path)
  for (;;) {
    const { headers } = user.toRequest('GET', path)
    const { status, text } = await user.server.client.send({ method: 'GET', path: next, headers })
    if (status !== 200) throw new Error(`unexpected response to GET ${next}: ${status} ${text}`)
    const { value, nextLink } = JSON.parse(text) as { value: Item[]; nextLink?: string }
    items.push(...value)
    if (nextLink === undefined) return items
    const { pathname, search } = new URL(nextLink)
    next = pathname + search
  }
}

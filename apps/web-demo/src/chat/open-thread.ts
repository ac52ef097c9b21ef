import type { ChatThreadClient } from '@azure/communication-chat'
import type { Person } from '../people.ts'
import { toId, toShownMessage, type ShownMessage } from './message.ts'

export type OpenThread = ReturnType<typeof createOpenThread>

/** Users see that another one is typing for this time. Clients repeat the notification every eight seconds. */
const typingMs = 10_000
const maxMessages = 100

/** State of the chat that is open: its participants, messages, read marks and who is typing. */
export function createOpenThread(client: ChatThreadClient, self: Person, onChange: () => void) {
  const names = new Map<string, string>([[self.id, self.name]])
  const messages = new Map<string, ShownMessage>()
  const readers = new Map<string, string>()
  const typing = new Map<string, ReturnType<typeof setTimeout>>()
  let participants: readonly string[] = []

  /** Returns a participant's name, or the end of the id if the name is unknown. */
  const getName = (id: string) => names.get(id) ?? `…${id.slice(-6)}`

  const thread = {
    id: client.threadId,
    client,
    getName,
    getParticipants: () => participants,
    getMessages: () => [...messages.values()].toSorted((one, other) => compareIds(one.id, other.id)),
    getText: (id: string | undefined) => messages.get(id ?? '')?.text ?? '',
    getTyping: () => [...typing.keys()].map(getName),

    /** Loads the thread, also what changed while the client was offline. */
    async load(): Promise<void> {
      const [receipts] = await Promise.all([listAll(client.listReadReceipts()), thread.update()])
      for (const { sender, chatMessageId } of receipts) thread.addReader(toId(sender)!, chatMessageId)
    },

    /** Loads participants and messages. The system messages in the list have no events of their own. */
    async update(): Promise<void> {
      const [listed, latest] = await Promise.all([
        listAll(client.listParticipants()),
        listAll(client.listMessages({ maxPageSize: maxMessages }), maxMessages),
      ])
      participants = listed.map(({ id, displayName }) => learnName(toId(id)!, displayName))
      for (const message of latest) {
        learnName(toId(message.sender), message.senderDisplayName)
        for (const { id, displayName } of message.content?.participants ?? []) learnName(toId(id), displayName)
        const shown = toShownMessage(message, getName)
        if (shown) messages.set(shown.id, shown)
      }
    },

    /** Adds a message, or replaces its earlier version. */
    putMessage(message: ShownMessage): void {
      learnName(message.senderId, message.senderName)
      messages.set(message.id, message)
      thread.removeTyping(message.senderId ?? '')
    },

    deleteMessage(id: string): void {
      const message = messages.get(id)
      if (message) messages.set(id, { ...message, state: 'deleted' })
    },

    addReader(id: string, messageId: string): void {
      if (compareIds(readers.get(id) ?? '', messageId) < 0) readers.set(id, messageId)
    },

    addTyping(id: string, name: string | undefined): void {
      if (id === self.id) return
      learnName(id, name)
      clearTimeout(typing.get(id))
      const end = () => {
        typing.delete(id)
        onChange()
      }
      typing.set(id, setTimeout(end, typingMs))
    },

    removeTyping(id: string): void {
      clearTimeout(typing.get(id))
      typing.delete(id)
    },

    /** Returns who has read which of the own messages last. */
    getReaders(): ReadonlyMap<string, readonly string[]> {
      const own = thread.getMessages().filter(({ kind, senderId }) => kind === 'text' && senderId === self.id)
      const result = new Map<string, string[]>()
      for (const [reader, messageId] of readers) {
        const last = own.findLast(({ id }) => compareIds(id, messageId) <= 0)
        if (last && reader !== self.id) result.set(last.id, [...(result.get(last.id) ?? []), getName(reader)])
      }
      return result
    },

    /** Tells the other participants that the last message was read. */
    async markRead(): Promise<void> {
      const last = thread.getMessages().findLast(({ kind, senderId }) => kind === 'text' && senderId !== self.id)
      if (!last || document.visibilityState !== 'visible' || compareIds(readers.get(self.id) ?? '', last.id) >= 0)
        return
      thread.addReader(self.id, last.id)
      await client.sendReadReceipt({ chatMessageId: last.id })
    },

    close(): void {
      for (const timer of typing.values()) clearTimeout(timer)
    },
  }

  function learnName<Id extends string | undefined>(id: Id, name: string | undefined): Id {
    if (id && name) names.set(id, name)
    return id
  }

  return thread
}

/** Compares ids of messages, which are times in milliseconds. */
function compareIds(one: string, other: string): number {
  return Number(one) - Number(other)
}

/** Returns the items of a list, at most `max`. */
export async function listAll<T>(pages: AsyncIterable<T>, max = Infinity): Promise<T[]> {
  const items: T[] = []
  for await (const item of pages) {
    items.push(item)
    if (items.length >= max) break
  }
  return items
}

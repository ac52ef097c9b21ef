import { ResponseError } from '../error-response.ts'
import type { Identities } from '../identity/identities.ts'
import { InvalidSettingError } from '../invalid-setting-error.ts'
import type { ChatEventFilter, ChatEvents, PublishedChatEvent } from './chat-events.ts'
import type { ChatMessages } from './chat-messages.ts'
import type { ChatMessage, ChatParticipant, ChatThread } from './chat-thread.ts'
import type { ChatThreads, Membership, StoredThread } from './chat-threads.ts'
import type { MessageOperations, NewTextMessage } from './message-operations.ts'
import type { ListedConnection } from './real-time/listed-connection.ts'
import type { RealTime } from './real-time/real-time.ts'
import type { ThreadOperations } from './thread-operations.ts'

/** A thread with its participants. */
export interface ListedChatThread extends ChatThread {
  readonly participants: readonly ChatParticipant[]
}

/** The participant on whose behalf an operation acts. */
export interface ActingParticipant {
  readonly threadId: string
  readonly communicationUserId: string
}

/** A user to add to a thread. */
export interface NewChatParticipant extends Partial<Omit<ChatParticipant, 'communicationUserId'>> {
  readonly communicationUserId: string
}

/**
 * Chat of all resources, without tokens. All times are milliseconds of the emulator's clock.
 *
 * @example
 * const { id } = emulator.chat.createThread({ topic: 'Lunch', createdBy: bob, participants: [{ communicationUserId: alice }] })
 * emulator.chat.sendMessage({ threadId: id, communicationUserId: bob, content: 'Hello' })
 */
export interface ChatAdministration {
  /**
   * Lists threads, oldest first.
   *
   * @param query `communicationUserId`: only the threads of this participant.
   */
  threads(query?: { communicationUserId?: string }): ListedChatThread[]
  /**
   * Lists all messages of a thread, oldest first, with system messages.
   *
   * @throws {InvalidSettingError} The thread is unknown.
   */
  messages(threadId: string): ChatMessage[]
  /**
   * Creates a thread. Its creator is its first participant.
   *
   * @throws {InvalidSettingError} The creator or a participant is not an identity of one resource, or a limit is exceeded.
   */
  createThread(thread: {
    topic: string
    createdBy: string
    participants?: readonly NewChatParticipant[]
    metadata?: Readonly<Record<string, string>>
    retentionDays?: number
  }): ListedChatThread
  /**
   * Adds participants to a thread.
   *
   * @param change `communicationUserId`: the participant who adds them.
   */
  addParticipants(change: ActingParticipant & { participants: readonly NewChatParticipant[] }): void
  /**
   * Removes a participant from a thread.
   *
   * @param change `participant`: the user to remove; by default, the acting user leaves.
   */
  removeParticipant(change: ActingParticipant & { participant?: string }): void
  /**
   * Sends a message.
   *
   * @throws {InvalidSettingError} The thread is unknown, the user is not a participant, or the content is too large.
   */
  sendMessage(message: ActingParticipant & NewTextMessage): ChatMessage
  /** Sends a typing notification. */
  sendTyping(typing: ActingParticipant & { senderDisplayName?: string }): void
  /**
   * Sends a read receipt.
   *
   * @param receipt `messageId`: the message that was read; by default, the last one.
   */
  sendReadReceipt(receipt: ActingParticipant & { messageId?: string }): void
  /**
   * Waits for the first matching event after the call.
   *
   * @returns The event; undefined if none is published in time.
   *
   * @example
   * const typing = await emulator.chat.waitForEvent({ name: 'typingIndicatorReceived' })
   */
  waitForEvent(filter?: ChatEventFilter): Promise<PublishedChatEvent | undefined>
  /** Lists the real-time connections of all users. */
  connections(): ListedConnection[]
  /**
   * Closes the real-time connections of a user.
   *
   * @returns Their number.
   */
  disconnect(communicationUserId: string): number
}

/** @internal */
export interface ChatAdministrationOptions {
  readonly identities: Identities
  readonly threads: ChatThreads
  readonly messages: ChatMessages
  readonly events: ChatEvents
  readonly realTime: RealTime
  readonly threadOperations: ThreadOperations
  readonly messageOperations: MessageOperations
  /** Deletes threads whose retention has ended. */
  readonly applyRetention: () => void
}

/** @internal Creates the administration of chat, which acts as any user without a token. */
export function createChatAdministration(options: ChatAdministrationOptions): ChatAdministration {
  const { identities, threads, messages, events, realTime, threadOperations, messageOperations } = options

  function listThreads({ communicationUserId }: { communicationUserId?: string } = {}): ListedChatThread[] {
    options.applyRetention()
    return threads.list(communicationUserId ?? null).map(withParticipants)
  }

  function withParticipants({ key, thread }: StoredThread): ListedChatThread {
    return { ...thread, participants: threads.listParticipants(key) }
  }

  function findThread(threadId: string): StoredThread {
    options.applyRetention()
    const stored = threads.find(threadId)
    if (stored) return stored
    throw new InvalidSettingError(`unknown thread ${threadId}: use the id of an existing one`)
  }

  function findMember({ threadId, communicationUserId }: ActingParticipant): Membership {
    const stored = findThread(threadId)
    const participant = threads.findParticipant(stored.key, communicationUserId)
    if (participant) return { ...stored, participant }
    throw new InvalidSettingError(`${communicationUserId} is not a participant of ${threadId}: add this user first`)
  }

  /** Returns the participants with defaults. They must be identities of the resource. */
  function toParticipants(resourceId: number, given: readonly NewChatParticipant[]): ChatParticipant[] {
    return given.map(({ communicationUserId, displayName, shareHistoryFrom = 0, metadata }) => {
      if (requireIdentity(communicationUserId).resource !== resourceId) {
        throw new InvalidSettingError(`${communicationUserId} belongs to another resource than the thread`)
      }
      return { communicationUserId, displayName, shareHistoryFrom, metadata }
    })
  }

  function requireIdentity(communicationUserId: string) {
    const identity = identities.lookUp(communicationUserId)
    if (identity) return identity
    throw new InvalidSettingError(`unknown identity ${communicationUserId}: create it first`)
  }

  return {
    threads: listThreads,
    messages: (threadId) => messages.list(findThread(threadId).key, { from: 0 }).toReversed(),
    createThread({ createdBy, participants = [], ...thread }) {
      const resourceId = requireIdentity(createdBy).resource
      const added = toParticipants(resourceId, participants)
      return withParticipants(
        perform(() => threadOperations.create({ ...thread, resourceId, createdBy, participants: added })),
      )
    },
    addParticipants({ participants, ...acting }) {
      const member = findMember(acting)
      const { resource } = requireIdentity(acting.communicationUserId)
      const added = toParticipants(resource, participants)
      perform(() => threadOperations.addParticipants(member, added))
    },
    removeParticipant({ participant, ...acting }) {
      const member = findMember(acting)
      perform(() => threadOperations.removeParticipant(member, participant ?? acting.communicationUserId))
    },
    sendMessage(message) {
      const member = findMember(message)
      return perform(() => messageOperations.send(member, message))
    },
    sendTyping({ senderDisplayName, ...acting }) {
      messageOperations.sendTyping(findMember(acting), senderDisplayName)
    },
    sendReadReceipt({ messageId, ...acting }) {
      const member = findMember(acting)
      const read = messageId ?? messages.findLast(member.key)?.id
      if (read === undefined) throw new InvalidSettingError(`the thread ${acting.threadId} has no message to read`)
      perform(() => messageOperations.sendReadReceipt(member, read))
    },
    async waitForEvent(filter = {}) {
      return events.waitFor(filter)
    },
    connections: () => realTime.connections(),
    disconnect: (communicationUserId) => realTime.disconnect(communicationUserId),
  }
}

/** Performs an operation; its rejection is an invalid setting here. */
function perform<Result>(operation: () => Result): Result {
  try {
    return operation()
  } catch (error) {
    if (error instanceof ResponseError) throw new InvalidSettingError(error.message, { cause: error })
    throw error
  }
}

import { badRequest, ChatError, forbidden } from './chat-error.ts'
import type { ChatMessage, ChatMessageType } from './chat-thread.ts'
import type { Membership } from './chat-threads.ts'
import { isOfUser } from './chat-messages.ts'
import { chatLimits } from './limits.ts'
import type { ChatOperationsOptions } from './thread-operations.ts'

export interface NewTextMessage {
  readonly content: string
  readonly type?: Extract<ChatMessageType, 'text' | 'html'> | undefined
  readonly senderDisplayName?: string | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/** Members of a message that its sender can change; absent ones stay. */
export type MessageChange = Partial<Pick<NewTextMessage, 'content' | 'metadata'>>

export type MessageOperations = ReturnType<typeof createMessageOperations>

/** Sends and changes messages, typing notifications and read receipts, and publishes their events. */
export function createMessageOperations({ store, clock, threads, messages, events }: ChatOperationsOptions) {
  function send({ key, thread, participant }: Membership, input: NewTextMessage): ChatMessage {
    const { content, type = 'text', senderDisplayName, metadata } = input
    checkContent(content)
    const sender = participant.communicationUserId
    const message = messages.append(
      key,
      { type, content: { message: content }, sender, senderDisplayName, metadata },
      clock.now(),
    )
    const recipients = threads.listUsers(key)
    events.publish({ name: 'chatMessageReceived', thread, recipients, at: Number(message.id), message })
    return message
  }

  /** Returns a message. Throws the service's error unless the participant can see it. */
  function get({ key, participant }: Membership, messageId: string): ChatMessage {
    // guess(message-id): also the response for an unknown one.
    if (!/^\d{1,15}$/.test(messageId)) throw badRequest('The message id is not a number.')
    const message = messages.find(key, messageId)
    // guess(shared-history)
    if (message && message.createdAt >= participant.shareHistoryFrom) return message
    throw new ChatError(404, 'NotFound', { message: 'The specified message id was not found.' })
  }

  function update(member: Membership, messageId: string, { content, ...change }: MessageChange): void {
    const message = getOwn(member, messageId)
    // guess(deleted-message): a deleted message stays in the list without its content, and can be deleted again.
    if (message.deletedAt !== undefined) {
      throw new ChatError(404, 'NotFound', { message: 'The specified message was deleted.' })
    }
    if (content !== undefined) checkContent(content)
    const edited = { ...message, ...change, ...(content !== undefined && { content: { message: content } }) }
    replace('chatMessageEdited', member, { ...edited, editedAt: clock.now() })
  }

  function remove(member: Membership, messageId: string): void {
    const message = getOwn(member, messageId)
    if (message.deletedAt !== undefined) return
    const deleted = { ...message, content: {}, metadata: undefined, deletedAt: clock.now() }
    replace('chatMessageDeleted', member, deleted)
  }

  function replace(
    name: 'chatMessageEdited' | 'chatMessageDeleted',
    { key, thread }: Membership,
    changed: ChatMessage,
  ): void {
    const message = store.transaction(() => {
      const stored = { ...changed, version: String(threads.nextVersion(key, clock.now())) }
      messages.replace(key, stored)
      return stored
    })
    events.publish({ name, thread, recipients: threads.listUsers(key), at: Number(message.version), message })
  }

  /** Returns a message that the participant sent. Throws the service's error. */
  function getOwn(member: Membership, messageId: string): ChatMessage {
    const message = get(member, messageId)
    if (isOfUser(message.type) && message.sender === member.participant.communicationUserId) return message
    throw forbidden('NotSender', 'Only its sender can change a message.')
  }

  // guess(large-threads): the same as for receipts.
  function sendTyping({ key, thread, participant }: Membership, senderDisplayName?: string): void {
    const recipients = threads.listUsers(key)
    if (recipients.length > chatLimits.participantsWithTyping) return
    const displayName = senderDisplayName ?? participant.displayName
    const by = { communicationUserId: participant.communicationUserId, displayName }
    events.publish({ name: 'typingIndicatorReceived', thread, recipients, at: clock.now(), by })
  }

  // In a large thread, receipts are accepted without effect: https://github.com/Azure/communication-ui-library/issues/2364
  // guess(read-receipts): each user has one receipt, for the latest message; one for an earlier message changes nothing.
  function sendReadReceipt(member: Membership, messageId: string): void {
    const { key, thread, participant } = member
    get(member, messageId)
    const recipients = threads.listUsers(key)
    if (recipients.length > chatLimits.participantsWithTyping) return
    const at = clock.now()
    const receipt = { communicationUserId: participant.communicationUserId, messageId, readAt: at }
    if (!messages.putReceipt(key, receipt)) return
    // guess(event-recipients): the sender is also notified, as for other events.
    events.publish({ name: 'readReceiptReceived', thread, recipients, at, receipt })
  }

  return { send, get, update, remove, sendTyping, sendReadReceipt }
}

function checkContent(content: string): void {
  if (Buffer.byteLength(content) <= chatLimits.messageBytes) return
  throw badRequest(`The content of a message can have at most ${chatLimits.messageBytes} bytes.`)
}

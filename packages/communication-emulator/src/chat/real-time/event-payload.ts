import { drawRandom } from '../../random.ts'
import type { ChatActor, ChatEvent } from '../chat-event.ts'
import type { ChatMessage, ChatParticipant, ChatThread } from '../chat-thread.ts'

/**
 * Returns the body of an event for a recipient. The part that all recipients share is formatted once.
 * Source: the parsers of the SDKs, and a payload of the service in the tests of the iOS SDK.
 */
export function createEventPayload(event: ChatEvent): (communicationUserId: string) => string {
  const shared = JSON.stringify({
    ...toMembers(event),
    // guess(event-ids): the form of both is that of one payload; what they identify is unknown.
    transactionId: drawRandom(16).toString('base64url'),
    collapseId: drawRandom(32).toString('base64'),
  })
  return (communicationUserId) => {
    const recipient = { recipientId: communicationUserId.slice('8:'.length), recipientMri: communicationUserId }
    return `${shared.slice(0, -1)},${JSON.stringify(recipient).slice(1)}`
  }
}

function toMembers(event: ChatEvent): Record<string, unknown> {
  const { thread, at } = event
  const time = toTime(at)
  const version = String(at)
  switch (event.name) {
    case 'chatMessageReceived':
      return { ...toMessage(200, thread, event.message), ...toContent(event.message) }
    case 'chatMessageEdited':
      return {
        ...toMessage(247, thread, event.message),
        ...toContent(event.message),
        edittime: time,
        composetime: toTime(event.message.createdAt),
      }
    case 'chatMessageDeleted':
      return {
        ...toMessage(248, thread, event.message),
        deletetime: time,
        composetime: toTime(event.message.createdAt),
      }
    case 'typingIndicatorReceived':
      return {
        ...toMessageLike(245, thread, event.by.communicationUserId),
        messageId: version,
        messageType: 'Control/Typing',
        senderDisplayName: event.by.displayName ?? '',
        originalArrivalTime: time,
        version,
      }
    case 'readReceiptReceived': {
      const { communicationUserId, messageId, readAt } = event.receipt
      return {
        ...toMessageLike(246, thread, communicationUserId),
        messageId,
        clientMessageId: '0',
        messageType: 'ThreadActivity/MemberConsumptionHorizonUpdate',
        messageBody: JSON.stringify({
          user: communicationUserId,
          consumptionhorizon: `${messageId};${readAt};0`,
          messageVisibilityTime: thread.createdAt,
          version,
        }),
        senderDisplayName: '',
      }
    }
    case 'chatThreadCreated':
      return {
        ...toThreadEvent(257, thread, event.by, version),
        createdBy: toActor(event.by),
        members: toParticipants(event.participants),
        properties: toProperties(thread),
        threadType: 'chat',
      }
    case 'chatThreadPropertiesUpdated':
      return {
        ...toThreadEvent(258, thread, event.by, version),
        editedBy: toActor(event.by),
        editTime: time,
        properties: toProperties(thread),
        threadType: 'chat',
      }
    case 'chatThreadDeleted':
      return {
        ...toThreadEvent(259, thread, event.by, version),
        ...(event.by && { deletedBy: toActor(event.by) }),
        deleteTime: time,
        reason: event.by ? 'deletedByUser' : 'deletedByPolicy',
        threadType: 'chat',
      }
    case 'participantsAdded':
      return {
        ...toThreadEvent(260, thread, event.by, version),
        addedBy: toActor(event.by),
        time,
        participantsAdded: toParticipants(event.participants),
      }
    case 'participantsRemoved':
      return {
        ...toThreadEvent(261, thread, event.by, version),
        removedBy: toActor(event.by),
        time,
        participantsRemoved: toParticipants(event.participants),
      }
  }
}

function toMessageLike(eventId: number, { id }: ChatThread, sender: string | undefined) {
  return { eventId, senderId: sender ?? '', groupId: id }
}

function toMessage(eventId: number, thread: ChatThread, message: ChatMessage) {
  return {
    ...toMessageLike(eventId, thread, message.sender),
    messageId: message.id,
    clientMessageId: '',
    messageType: message.type === 'html' ? 'RichText/Html' : 'Text',
    senderDisplayName: message.senderDisplayName ?? '',
    originalArrivalTime: toTime(message.createdAt),
    version: message.version,
  }
}

function toContent({ content, metadata }: ChatMessage) {
  return {
    messageBody: content.message ?? '',
    priority: '',
    acsChatMessageMetadata: JSON.stringify(metadata ?? null),
  }
}

function toThreadEvent(eventId: number, thread: ChatThread, by: ChatActor | undefined, version: string) {
  return {
    eventId,
    // guess(policy-sender): the sender of an event that no user caused.
    senderId: by?.communicationUserId ?? thread.createdBy,
    groupId: '',
    threadId: thread.id,
    createTime: toTime(thread.createdAt),
    version,
  }
}

function toTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

function toActor({ communicationUserId, displayName }: ChatActor): string {
  return toText({ displayName: displayName ?? null, participantId: communicationUserId })
}

function toParticipants(participants: readonly ChatParticipant[]): string {
  return toText(
    participants.map(({ communicationUserId, displayName, shareHistoryFrom, metadata }) => ({
      participantId: communicationUserId,
      displayName: displayName ?? null,
      shareHistoryTime: shareHistoryFrom,
      ...(metadata && { memberMetaData: JSON.stringify(metadata) }),
    })),
  )
}

function toProperties({ topic, metadata, retentionDays }: ChatThread): string {
  const policy = { retentionPolicyType: 'DeleteAfterCreationTime', executeAfter: `${retentionDays}.00:00:00` }
  return toText({
    topic,
    ...(metadata && { acsChatThreadMetadata: JSON.stringify(metadata) }),
    ...(retentionDays !== undefined && { retentionPolicy: JSON.stringify(policy) }),
  })
}

/** Formats a value as JSON without percent signs: the JavaScript client decodes `%41` in it before it parses it. */
function toText(value: unknown): string {
  // Percent signs occur only in strings, where this escape means the same.
  return JSON.stringify(value).replaceAll('%', String.raw`\u0025`)
}

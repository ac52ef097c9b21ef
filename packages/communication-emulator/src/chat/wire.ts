import { hasMember, type ChatApiVersion } from './api-versions.ts'
import { isOfUser } from './chat-messages.ts'
import type { ChatMessage, ChatParticipant, ChatReadReceipt, ChatThread } from './chat-thread.ts'
import type { StoredThread } from './chat-threads.ts'

/** Returns a time as the chat routes send it, in whole seconds. */
function toTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}

// guess(identifier-kind): responses up to 2024-03-01-preview have no `kind`; later ones are unknown.
function toIdentifier(communicationUserId: string) {
  return { rawId: communicationUserId, communicationUser: { id: communicationUserId } }
}

export function toWireThread(thread: ChatThread, version: ChatApiVersion) {
  const { id, topic, createdAt, createdBy, metadata, retentionDays } = thread
  return {
    id,
    topic,
    createdOn: toTime(createdAt),
    createdByCommunicationIdentifier: toIdentifier(createdBy),
    ...(metadata && hasMember(version, 'threadMetadata') && { metadata }),
    ...(retentionDays !== undefined &&
      hasMember(version, 'retentionPolicy') && {
        retentionPolicy: { kind: 'threadCreationDate', deleteThreadAfterDays: retentionDays },
      }),
  }
}

/** Returns an entry of a list of threads. A deleted one was seen in https://github.com/Azure/azure-sdk-for-java/issues/47688. */
export function toWireThreadItem({ thread: { id, topic }, lastMessageAt, deletedAt }: StoredThread) {
  return {
    id,
    topic,
    ...(deletedAt !== undefined && { deletedOn: toTime(deletedAt) }),
    ...(lastMessageAt !== undefined && { lastMessageReceivedOn: toTime(lastMessageAt) }),
  }
}

export function toWireParticipant(participant: ChatParticipant, version: ChatApiVersion) {
  const { communicationUserId, displayName, shareHistoryFrom, metadata } = participant
  return {
    communicationIdentifier: toIdentifier(communicationUserId),
    ...(displayName !== undefined && { displayName }),
    shareHistoryTime: toTime(shareHistoryFrom),
    ...(metadata && hasMember(version, 'participantMetadata') && { metadata }),
  }
}

export function toWireMessage(message: ChatMessage, version: ChatApiVersion) {
  const { sender, senderDisplayName, editedAt, deletedAt, metadata } = message
  return {
    id: message.id,
    type: message.type,
    sequenceId: String(message.sequenceId),
    version: message.version,
    content: toWireContent(message, version),
    ...(isOfUser(message.type) && { senderDisplayName: senderDisplayName ?? '' }),
    createdOn: toTime(message.createdAt),
    ...(sender !== undefined && { senderCommunicationIdentifier: toIdentifier(sender) }),
    ...(deletedAt !== undefined && { deletedOn: toTime(deletedAt) }),
    ...(editedAt !== undefined && { editedOn: toTime(editedAt) }),
    ...(metadata && hasMember(version, 'messageMetadata') && { metadata }),
  }
}

function toWireContent({ content }: ChatMessage, version: ChatApiVersion) {
  const { message, topic, participants, initiator } = content
  return {
    ...(message !== undefined && { message }),
    // Seen in https://github.com/Azure/communication-ui-library/issues/4625.
    ...(message !== undefined && hasMember(version, 'attachments') && { attachments: [] }),
    ...(topic !== undefined && { topic }),
    ...(participants && { participants: participants.map((each) => toWireParticipant(each, version)) }),
    ...(initiator !== undefined && { initiatorCommunicationIdentifier: toIdentifier(initiator) }),
  }
}

export function toWireReceipt({ communicationUserId, messageId, readAt }: ChatReadReceipt) {
  return {
    senderCommunicationIdentifier: toIdentifier(communicationUserId),
    chatMessageId: messageId,
    readOn: toTime(readAt),
  }
}

import type { Identities } from '../identity/identities.ts'
import { getHeader, getOrigin, type RawRequest, type RawResponse } from '../raw-request.ts'
import type { Resource } from '../resource.ts'
import { hasMember, type ChatApiVersion } from './api-versions.ts'
import { optionalMetadata, optionalText, patchMetadata, readBody, readRetentionDays, requireText } from './body.ts'
import { badRequest } from './chat-error.ts'
import type { ChatMessages } from './chat-messages.ts'
import type { ChatThreads, Membership } from './chat-threads.ts'
import { chatLimits } from './limits.ts'
import type { MessageOperations } from './message-operations.ts'
import { readSkipPage, readTimePage, toSkipPage, toTimePage } from './paging.ts'
import { identifierMembers, readIdentifier, readParticipants, sortParticipants } from './participants.ts'
import type { ThreadOperations } from './thread-operations.ts'
import { toWireMessage, toWireParticipant, toWireReceipt, toWireThread, toWireThreadItem } from './wire.ts'

export interface ChatHandlersOptions {
  readonly identities: Identities
  readonly threads: ChatThreads
  readonly messages: ChatMessages
  readonly threadOperations: ThreadOperations
  readonly messageOperations: MessageOperations
  readonly strict: boolean
}

/** A permitted request of a user. */
export interface ChatCall {
  readonly request: RawRequest
  readonly resource: Resource
  readonly version: ChatApiVersion
  readonly communicationUserId: string
}

/** A permitted request of a participant of a thread. */
export interface ThreadCall extends ChatCall {
  readonly member: Membership
  /** Empty on a path without it. */
  readonly messageId: string
}

/** The service sends neither a body nor a media type for these. */
const emptyOk: RawResponse = { status: 200, headers: { 'Content-Length': '0' } }
const noContent: RawResponse = { status: 204 }

/** Creates the handlers of the chat routes, which translate between requests and the operations. */
export function createChatHandlers(options: ChatHandlersOptions) {
  const { identities, threads, messages, threadOperations, messageOperations, strict } = options

  function createChatThread({ request, resource, version, communicationUserId }: ChatCall): RawResponse {
    const known = ['topic', 'participants']
    if (hasMember(version, 'threadMetadata')) known.push('metadata')
    if (hasMember(version, 'retentionPolicy')) known.push('retentionPolicy')
    const body = readBody(request, known, { strict })
    const topic = requireText(body, 'topic')
    const participants = readParticipants(body, version, { strict })
    const { valid, invalid } = sortParticipants(identities, resource.id, participants)
    const { thread } = threadOperations.create({
      resourceId: resource.id,
      topic,
      createdBy: communicationUserId,
      participants: valid,
      metadata: optionalMetadata(body),
      retentionDays: readRetentionDays(body) ?? undefined,
      repeatabilityId: getHeader(request.headers, 'repeatability-request-id') || undefined,
    })
    return {
      status: 201,
      headers: { Location: toLocation(request, thread.id) },
      body: { chatThread: toWireThread(thread, version), ...(invalid.length > 0 && { invalidParticipants: invalid }) },
      threadId: thread.id,
    }
  }

  // guess(thread-order): newest first; `startTime` selects the threads that were created or received a message since then.
  function listChatThreads({ request, communicationUserId }: ChatCall): RawResponse {
    const page = readTimePage(request)
    const found = threads.listOfUser(communicationUserId, { ...page, limit: page.limit + 1 })
    return {
      status: 200,
      body: toTimePage(request, found, page, { getId: ({ key }) => key, toWire: toWireThreadItem }),
    }
  }

  function updateChatThreadProperties({ request, member, version }: ThreadCall): RawResponse {
    const known = ['topic']
    if (hasMember(version, 'threadMetadata')) known.push('metadata')
    if (hasMember(version, 'retentionPolicy')) known.push('retentionPolicy')
    const body = readBody(request, known, { strict })
    const topic = optionalText(body, 'topic')
    const metadata = patchMetadata(member.thread.metadata, body)
    const retentionDays = readRetentionDays(body)
    threadOperations.update(member, {
      ...(topic !== undefined && { topic }),
      ...(metadata && { metadata }),
      ...(retentionDays !== undefined && { retentionDays: retentionDays ?? undefined }),
    })
    return noContent
  }

  function deleteChatThread({ member }: ThreadCall): RawResponse {
    threadOperations.remove(member, member.participant)
    return noContent
  }

  function listChatMessages({ request, member, version }: ThreadCall): RawResponse {
    const page = readTimePage(request, chatLimits.defaultMessages)
    const from = Math.max(page.from, member.participant.shareHistoryFrom)
    const found = messages.list(member.key, { ...page, from, limit: page.limit + 1 })
    const toWire = (message: (typeof found)[number]) => toWireMessage(message, version)
    return { status: 200, body: toTimePage(request, found, page, { getId: ({ id }) => Number(id), toWire }) }
  }

  function sendChatMessage({ request, member, version }: ThreadCall): RawResponse {
    const known = ['content', 'senderDisplayName', 'type']
    if (hasMember(version, 'messageMetadata')) known.push('metadata')
    const body = readBody(request, known, { strict })
    // It may be empty, as that of a message with a file in its metadata.
    const content = requireText(body, 'content')
    const type = optionalText(body, 'type')
    if (type !== undefined && type !== 'text' && type !== 'html') throw badRequest('The type must be text or html.')
    const { id } = messageOperations.send(member, {
      content,
      type,
      senderDisplayName: optionalText(body, 'senderDisplayName'),
      metadata: optionalMetadata(body),
    })
    const location = `${toLocation(request, member.thread.id)}/messages/${id}`
    return { status: 201, headers: { Location: location }, body: { id } }
  }

  function getChatMessage({ member, messageId, version }: ThreadCall): RawResponse {
    return { status: 200, body: toWireMessage(messageOperations.get(member, messageId), version) }
  }

  function updateChatMessage({ request, member, messageId, version }: ThreadCall): RawResponse {
    const known = ['content']
    if (hasMember(version, 'messageMetadata')) known.push('metadata')
    const body = readBody(request, known, { strict })
    const content = optionalText(body, 'content')
    const metadata = patchMetadata(messageOperations.get(member, messageId).metadata, body)
    messageOperations.update(member, messageId, {
      ...(content !== undefined && { content }),
      ...(metadata && { metadata }),
    })
    return noContent
  }

  function deleteChatMessage({ member, messageId }: ThreadCall): RawResponse {
    messageOperations.remove(member, messageId)
    return noContent
  }

  function listChatParticipants({ request, member, version }: ThreadCall): RawResponse {
    const page = readSkipPage(request)
    const found = threads.listParticipants(member.key, { ...page, limit: page.limit + 1 })
    return { status: 200, body: toSkipPage(request, found, page, (each) => toWireParticipant(each, version)) }
  }

  function addChatParticipants({ request, resource, member, version }: ThreadCall): RawResponse {
    const body = readBody(request, ['participants'], { strict })
    const participants = readParticipants(body, version, { strict })
    const { valid, invalid } = sortParticipants(identities, resource.id, participants)
    threadOperations.addParticipants(member, valid)
    return { status: 201, body: invalid.length > 0 ? { invalidParticipants: invalid } : {} }
  }

  function removeChatParticipant({ request, member }: ThreadCall): RawResponse {
    const identifier = readBody(request, identifierMembers, { strict })
    threadOperations.removeParticipant(member, readIdentifier(identifier))
    return noContent
  }

  function listChatReadReceipts({ request, member }: ThreadCall): RawResponse {
    const page = readSkipPage(request)
    const found = messages.listReceipts(member.key, { ...page, limit: page.limit + 1 })
    return { status: 200, body: toSkipPage(request, found, page, toWireReceipt) }
  }

  function sendChatReadReceipt({ request, member }: ThreadCall): RawResponse {
    const body = readBody(request, ['chatMessageId'], { strict })
    messageOperations.sendReadReceipt(member, requireText(body, 'chatMessageId'))
    return emptyOk
  }

  function sendTypingNotification({ request, member, version }: ThreadCall): RawResponse {
    const known = hasMember(version, 'typingSenderDisplayName') ? ['senderDisplayName'] : []
    const body = readBody(request, known, { strict })
    messageOperations.sendTyping(member, optionalText(body, 'senderDisplayName'))
    return emptyOk
  }

  return {
    createChatThread,
    listChatThreads,
    getChatThreadProperties,
    updateChatThreadProperties,
    deleteChatThread,
    listChatMessages,
    sendChatMessage,
    getChatMessage,
    updateChatMessage,
    deleteChatMessage,
    listChatParticipants,
    addChatParticipants,
    removeChatParticipant,
    listChatReadReceipts,
    sendChatReadReceipt,
    sendTypingNotification,
  }
}

function getChatThreadProperties({ member, version }: ThreadCall): RawResponse {
  return { status: 200, body: toWireThread(member.thread, version) }
}

/** Returns the address of a thread, whose colon is escaped but not its `@`, as recorded. */
function toLocation(request: RawRequest, threadId: string): string {
  return `${getOrigin(request)}/chat/threads/${threadId.replace(':', '%3A')}`
}

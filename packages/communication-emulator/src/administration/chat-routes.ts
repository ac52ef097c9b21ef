import type { ActingParticipant, NewChatParticipant } from '../chat/chat-administration.ts'
import type { ChatEventName } from '../chat/chat-event.ts'
import { InvalidSettingError } from '../invalid-setting-error.ts'
import { isObject } from '../raw-request.ts'
import type { Handler } from './administration-routes.ts'
import { readInteger, readOptional, readPositive, readString, readText, type Members } from './members.ts'

/** Handlers of the administration of chat, by method and path. */
export const chatRoutes: Readonly<Record<string, Handler>> = {
  'GET chat/threads': ({ emulator, query }) => {
    const body = emulator.chat.threads(readOptional(Object.fromEntries(query), 'communicationUserId', readString))
    return { status: 200, body }
  },
  'POST chat/threads': ({ emulator, body }) => {
    const thread = emulator.chat.createThread({
      topic: readString(body['topic'], 'topic'),
      createdBy: readString(body['createdBy'], 'createdBy'),
      ...readOptional(body, 'participants', readParticipants),
      ...readOptional(body, 'metadata', readMetadata),
      ...readOptional(body, 'retentionDays', readPositive),
    })
    return { status: 201, body: thread }
  },
  'POST chat/participants': ({ emulator, body }) => {
    const participants = readParticipants(body['participants'], 'participants')
    emulator.chat.addParticipants({ ...readActing(body), participants })
  },
  'DELETE chat/participants': ({ emulator, query }) => {
    const members = Object.fromEntries(query)
    emulator.chat.removeParticipant({ ...readActing(members), ...readOptional(members, 'participant', readString) })
  },
  'GET chat/messages': ({ emulator, query }) => {
    return { status: 200, body: emulator.chat.messages(readString(query.get('threadId'), 'threadId')) }
  },
  'POST chat/messages': ({ emulator, body }) => {
    const message = emulator.chat.sendMessage({
      ...readActing(body),
      content: readText(body['content'], 'content'),
      ...readOptional(body, 'type', readMessageType),
      ...readOptional(body, 'senderDisplayName', readText),
      ...readOptional(body, 'metadata', readMetadata),
    })
    return { status: 201, body: message }
  },
  'POST chat/typing': ({ emulator, body }) =>
    emulator.chat.sendTyping({ ...readActing(body), ...readOptional(body, 'senderDisplayName', readText) }),
  'POST chat/readReceipts': ({ emulator, body }) =>
    emulator.chat.sendReadReceipt({ ...readActing(body), ...readOptional(body, 'messageId', readString) }),
  // A long poll: 204 if no event is published in time.
  'GET chat/events': async ({ emulator, query }) => {
    const members = Object.fromEntries(query)
    const event = await emulator.chat.waitForEvent({
      ...readOptional(members, 'name', (name) => name as ChatEventName),
      ...readOptional(members, 'threadId', readString),
      ...readOptional(members, 'communicationUserId', readString),
      ...readOptional(members, 'after', readInteger),
      ...readOptional(members, 'timeoutMs', readInteger),
    })
    return event && { status: 200, body: event }
  },
  'GET chat/connections': ({ emulator }) => ({ status: 200, body: emulator.chat.connections() }),
  'DELETE chat/connections': ({ emulator, query }) => {
    const closed = emulator.chat.disconnect(readString(query.get('communicationUserId'), 'communicationUserId'))
    return { status: 200, body: { closed } }
  },
}

function readActing({ threadId, communicationUserId }: Members): ActingParticipant {
  return {
    threadId: readString(threadId, 'threadId'),
    communicationUserId: readString(communicationUserId, 'communicationUserId'),
  }
}

function readMessageType(type: unknown): 'text' | 'html' {
  if (type === 'text' || type === 'html') return type
  throw new InvalidSettingError('type must be "text" or "html"')
}

function readParticipants(value: unknown, name: string): NewChatParticipant[] {
  if (!Array.isArray(value)) throw new InvalidSettingError(`${name} must be an array`)
  return value.map((participant: unknown) => {
    if (!isObject(participant)) throw new InvalidSettingError(`${name} must be an array of objects`)
    return {
      communicationUserId: readString(participant['communicationUserId'], 'communicationUserId'),
      ...readOptional(participant, 'displayName', readText),
      ...readOptional(participant, 'shareHistoryFrom', readInteger),
      ...readOptional(participant, 'metadata', readMetadata),
    }
  })
}

function readMetadata(value: unknown, name: string): Record<string, string> {
  if (isObject(value) && Object.values(value).every((text) => typeof text === 'string')) {
    return value as Record<string, string>
  }
  throw new InvalidSettingError(`${name} must be an object of strings`)
}

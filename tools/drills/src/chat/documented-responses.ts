import { parseJson } from '@acs-kit/service-settings'
import type { HttpResponse } from '@acs-kit/test-support/http-client'
import { Type, type TProperties, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { nameResponse } from '../fuzz/fuzz.ts'

const documented = new Set(
  [
    ['200', '201', '202', '204', '400 BadRequest', '400 ApiVersionUnspecified', '400 UnsupportedApiVersion'],
    ['403 Forbidden', '404 NotFound', '405 MethodNotAllowed', '413 RequestBodyTooLarge', '415 UnsupportedMediaType'],
  ].flat(),
)

/** Statuses of the signaling routes, whose errors have no body. */
const withoutBody = new Set([202, 204, 400, 401, 404])

/** Statuses of Node's own parser, which rejects a request before the emulator reads it: no body, no headers of the service. */
const parserStatuses = new Set([400, 408, 417, 431])

/** Returns what is wrong with a response of the chat routes or of their signaling, or undefined. */
export function findChatFlaw(response: HttpResponse, { isHead }: { isHead: boolean }): string | undefined {
  const { status, headers, text } = response
  if (text === '' && parserStatuses.has(status) && headers['ms-cv'] === undefined) return undefined
  for (const name of ['ms-cv', 'x-processing-time', 'x-cache', 'x-azure-ref', 'date']) {
    if (headers[name] === undefined) return `the header ${name} is missing`
  }
  if (isHead) return status < 500 ? undefined : 'the response is not documented'
  const isEmpty = text === '' && (withoutBody.has(status) || headers['content-length'] === '0')
  if (!documented.has(nameResponse(response)) && !(isEmpty && status < 500)) return 'the response is not documented'
  if (isEmpty) return headers['content-type'] === undefined ? undefined : 'an empty body has a content type'
  if (status < 400) return findBodyFlaw(response)
  if (headers['content-type'] !== 'application/json') return `the content type is ${headers['content-type']}`
  const { CommunicationError: error } = parseJson(text) as { CommunicationError?: unknown }
  const expected = JSON.stringify({ CommunicationError: error }, null, 2).replaceAll('\n', '\r\n')
  return text === expected && chatError.Check(error) ? undefined : 'the form of the error is not documented'
}

function findBodyFlaw({ headers, text }: HttpResponse): string | undefined {
  const type = headers['content-type']
  if (type === 'text/plain; charset=utf-8') return handshake.test(text) ? undefined : 'the handshake is malformed'
  if (type !== 'application/json; charset=utf-8') return `the content type is ${type}`
  return result.Check(parseJson(text)) ? undefined : 'the form of the body is not documented'
}

const handshake = /^[-\w]+:\d+:\d+:websocket$/
const text = (pattern: RegExp) => Type.String({ pattern })
const object = <Members extends TProperties>(members: Members) => Type.Object(members, { additionalProperties: false })
const optional = Type.Optional
const listOf = (item: TSchema) => object({ value: Type.Array(item), nextLink: optional(text(/^https:\/\//)) })

const time = text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
const threadId = text(/^19:acsV2_[-\w]{44}@thread\.v2$/)
const number = text(/^\d+$/)
const metadata = optional(Type.Record(Type.String(), Type.String()))
const identifier = object({ rawId: text(/^8:acs:/), communicationUser: object({ id: text(/^8:acs:/) }) })
const participant = object({
  communicationIdentifier: identifier,
  displayName: optional(Type.String()),
  shareHistoryTime: time,
  metadata,
})
const thread = object({
  id: threadId,
  topic: Type.String(),
  createdOn: time,
  createdByCommunicationIdentifier: identifier,
  metadata,
  retentionPolicy: optional(
    object({ kind: Type.Literal('threadCreationDate'), deleteThreadAfterDays: Type.Integer() }),
  ),
})
const invalidParticipants = optional(
  Type.Array(object({ code: text(/^\d{3}$/), message: Type.String(), target: Type.String() })),
)
const initiatorCommunicationIdentifier = identifier
const ofAnyMessage = {
  id: number,
  sequenceId: number,
  version: number,
  createdOn: time,
  deletedOn: optional(time),
  editedOn: optional(time),
}
const message = Type.Union([
  object({
    ...ofAnyMessage,
    type: text(/^(text|html)$/),
    content: object({ message: optional(Type.String()), attachments: optional(Type.Array(Type.Never())) }),
    senderDisplayName: Type.String(),
    senderCommunicationIdentifier: identifier,
    metadata,
  }),
  object({
    ...ofAnyMessage,
    type: Type.Literal('topicUpdated'),
    content: object({ topic: Type.String(), initiatorCommunicationIdentifier }),
  }),
  object({
    ...ofAnyMessage,
    type: text(/^participant(Added|Removed)$/),
    content: object({ participants: Type.Array(participant), initiatorCommunicationIdentifier }),
  }),
])
const readReceipt = object({ senderCommunicationIdentifier: identifier, chatMessageId: number, readOn: time })
const url = text(/^https:\/\//)

const chatError = Compile(
  object({ Code: Type.String(), Message: optional(Type.String()), Details: Type.Array(Type.Never()) }),
)
const result = Compile(
  Type.Union([
    object({ chatThread: thread, invalidParticipants }),
    object({ invalidParticipants }),
    thread,
    listOf(
      object({ id: threadId, topic: Type.String(), deletedOn: optional(time), lastMessageReceivedOn: optional(time) }),
    ),
    object({ id: number }),
    message,
    listOf(message),
    listOf(participant),
    listOf(readReceipt),
    object({ trouterServiceUrl: url, registrarServiceUrl: url, cloudType: Type.String() }),
    object({
      socketio: text(/^https:\/\/[^/]+\/$/),
      url,
      surl: url,
      curlb: url,
      id: Type.String(),
      ccid: Type.String(),
      ttl: number,
      connectparams: Type.Record(Type.String(), Type.String()),
    }),
  ]),
)

import type { RawRequest } from '../raw-request.ts'
import { ChatError } from './chat-error.ts'

/**
 * The api-versions of the chat routes that the emulator serves, oldest first.
 * Source: Azure/azure-rest-api-specs, `specification/communication/data-plane/Chat/stable`.
 */
const chatApiVersions = [
  '2021-03-07',
  // guess(chat-preview): no description of it exists; the Java SDK sends it, and recordings up to 2023 list it.
  '2021-04-05-preview6',
  '2021-09-07',
  '2023-11-07',
  '2024-03-07',
  '2025-03-15',
] as const

export type ChatApiVersion = (typeof chatApiVersions)[number]

/** First api-versions of the members that the oldest one lacks, in requests and in responses. */
const firstVersions = {
  messageMetadata: '2021-04-05-preview6',
  typingSenderDisplayName: '2021-04-05-preview6',
  attachments: '2023-11-07',
  threadMetadata: '2025-03-15',
  retentionPolicy: '2025-03-15',
  participantMetadata: '2025-03-15',
} as const satisfies Record<string, ChatApiVersion>

export type VersionedMember = keyof typeof firstVersions

/** Whether an api-version has a member. */
export function hasMember(version: ChatApiVersion, member: VersionedMember): boolean {
  return chatApiVersions.indexOf(version) >= chatApiVersions.indexOf(firstVersions[member])
}

/** Value of the header `api-supported-versions`. */
// guess(chat-version-header): the last recordings are of 2023.
export const supportedChatVersions = chatApiVersions.join(', ')

// guess(chat-api-version): the description requires the parameter, the response without it was not recorded.
/** Returns the api-version of a request. Throws the service's error. */
export function readChatApiVersion({ query }: RawRequest): ChatApiVersion {
  const requested = query.get('api-version')
  const version = chatApiVersions.find((candidate) => candidate === requested)
  if (version) return version
  const message = requested
    ? `The api-version '${requested}' is not supported: use one of ${supportedChatVersions}.`
    : 'The api-version query parameter is required.'
  throw new ChatError(400, requested ? 'UnsupportedApiVersion' : 'ApiVersionUnspecified', { message })
}

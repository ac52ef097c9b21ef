import { parseCommunicationUserId } from '../identity/communication-user-id.ts'
import type { Identities } from '../identity/identities.ts'
import { isObject } from '../raw-request.ts'
import { hasMember, type ChatApiVersion } from './api-versions.ts'
import { optionalMetadata, optionalText, optionalTime, selectMembers, type Members } from './body.ts'
import { badRequest, ChatError } from './chat-error.ts'
import type { ChatParticipant } from './chat-thread.ts'
import { chatLimits } from './limits.ts'

/** A participant that cannot be added, as in responses. */
export interface InvalidParticipant {
  readonly code: string
  readonly message: string
  readonly target: string
}

/** Members of an identifier, with the prefix of the raw id and the name of the part that follows it. */
const identifierKinds = {
  communicationUser: ['', 'id'],
  microsoftTeamsUser: ['8:orgid:', 'userId'],
  phoneNumber: ['4:', 'value'],
  microsoftTeamsApp: ['28:orgid:', 'appId'],
} as const

export const identifierMembers = ['kind', 'rawId', ...Object.keys(identifierKinds)]

/** Reads the raw id of a communication or Teams user. Throws the service's error for any other identifier. */
export function readIdentifier(identifier: Members): string {
  const rawId = getRawId(identifier)
  if (rawId === undefined) throw badRequest('The communicationIdentifier is required.')
  if (/^(?:4|28):/.test(rawId)) throw invalidIdentifier('not supported', rawId)
  if (isTeamsUser(rawId)) return rawId
  if (parseCommunicationUserId(rawId)) return rawId.toLowerCase()
  throw invalidIdentifier('invalid', rawId)
}

function invalidIdentifier(problem: 'not supported' | 'invalid', rawId: string): ChatError {
  return new ChatError(400, 'BadRequest', { message: `Identifier format is ${problem} (${rawId}).` })
}

function getRawId(identifier: Members): string | undefined {
  for (const [kind, [prefix, name]] of Object.entries(identifierKinds)) {
    const value = identifier[kind]
    if (isObject(value)) return `${prefix}${optionalText(value, name) ?? ''}`
  }
  return optionalText(identifier, 'rawId')
}

function isTeamsUser(rawId: string): boolean {
  return /^8:(?:orgid|dod|gcch|teamsvisitor):/.test(rawId)
}

/** Reads `participants`; absent counts as empty. */
export function readParticipants(
  { participants }: Members,
  version: ChatApiVersion,
  { strict }: { strict: boolean },
): ChatParticipant[] {
  if (participants === undefined || participants === null) return []
  if (!Array.isArray(participants)) throw badRequest('The participants must be an array.')
  // guess(chat-limits)
  if (participants.length > chatLimits.participantsPerRequest) {
    throw badRequest(`A request can have at most ${chatLimits.participantsPerRequest} participants.`)
  }
  const known = ['communicationIdentifier', 'displayName', 'shareHistoryTime']
  if (hasMember(version, 'participantMetadata')) known.push('metadata')
  return participants.map((participant: unknown) => {
    const members = selectMembers(isObject(participant) ? participant : {}, known, { strict })
    const { communicationIdentifier } = members
    const identifier = isObject(communicationIdentifier) ? communicationIdentifier : {}
    return {
      communicationUserId: readIdentifier(selectMembers(identifier, identifierMembers, { strict })),
      displayName: optionalText(members, 'displayName'),
      shareHistoryFrom: optionalTime(members, 'shareHistoryTime') ?? 0,
      metadata: optionalMetadata(members),
    }
  })
}

/** Separates participants that exist in a resource from those that cannot be added. */
export function sortParticipants(
  identities: Identities,
  resourceId: number,
  participants: readonly ChatParticipant[],
): { valid: ChatParticipant[]; invalid: InvalidParticipant[] } {
  const valid: ChatParticipant[] = []
  const invalid: InvalidParticipant[] = []
  for (const participant of participants) {
    const { communicationUserId: id } = participant
    const identity = identities.lookUp(id)
    if (identity?.resource === resourceId) valid.push(participant)
    else {
      // differs(teams-chat): recorded for Teams users whom the resource may not add.
      // guess(invalid-participants): for users of other resources, and for those that do not exist.
      const isForeign = isTeamsUser(id) || identity !== undefined
      invalid.push({
        code: isForeign ? '403' : '404',
        message: isForeign ? 'Permissions check failed.' : 'The specified user was not found.',
        target: id,
      })
    }
  }
  return { valid, invalid }
}

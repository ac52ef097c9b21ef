import type { ChatMessage } from '@azure/communication-chat'
import { getIdentifierRawId, type CommunicationIdentifier } from '@azure/communication-common'

/** Message or event of a chat, as the page shows it. */
export interface ShownMessage {
  readonly id: string
  readonly kind: 'text' | 'system'
  readonly text: string
  readonly senderId: string | undefined
  readonly senderName: string | undefined
  readonly createdOn: Date
  readonly state: 'original' | 'edited' | 'deleted'
}

type GetName = (id: string) => string

/** Returns the message of a list, or undefined for a kind that is not shown. */
export function toShownMessage(message: ChatMessage, getName: GetName): ShownMessage | undefined {
  const { id, type, content, sender, senderDisplayName, createdOn, editedOn, deletedOn } = message
  const text = type === 'text' || type === 'html' ? toText(content?.message, type) : toSystemText(message, getName)
  if (text === undefined) return undefined
  return {
    id,
    kind: type === 'text' || type === 'html' ? 'text' : 'system',
    text,
    senderId: toId(sender),
    senderName: senderDisplayName,
    createdOn,
    state: deletedOn ? 'deleted' : editedOn ? 'edited' : 'original',
  }
}

/** Returns the text of a message, of the type that messages and events name. */
export function toText(message: string | undefined, type: string): string {
  if (!/html/i.test(type)) return message ?? ''
  return new DOMParser().parseFromString(message ?? '', 'text/html').body.textContent
}

export function toId(identifier: CommunicationIdentifier | undefined): string | undefined {
  return identifier && getIdentifierRawId(identifier)
}

function toSystemText({ type, content }: ChatMessage, getName: GetName): string | undefined {
  const ids = (content?.participants ?? []).map(({ id }) => toId(id)!)
  const names = ids.map(getName).join(', ')
  const initiator = toId(content?.initiator)
  const isOwn = initiator === undefined || ids.includes(initiator)
  if (type === 'topicUpdated') return `The topic is “${content?.topic ?? ''}”`
  if (type === 'participantAdded') return `${names} joined`
  if (type === 'participantRemoved') return isOwn ? `${names} left` : `${getName(initiator)} removed ${names}`
  return undefined
}

import { actionButton, element } from '../element.ts'
import type { Person } from '../people.ts'
import type { ShownMessage } from './message.ts'
import type { OpenThread } from './open-thread.ts'

/** Creates the rows of a thread: its messages, what participants did, and who has read which message. */
export function toMessageRows(thread: OpenThread, self: Person): HTMLElement[] {
  const readers = thread.getReaders()
  return thread.getMessages().flatMap((message) => {
    const names = readers.get(message.id)
    const row = message.kind === 'system' ? toSystemRow(message) : toTextRow(message, self)
    if (!names) return [row]
    return [row, element('p', { id: `read-${message.id}`, className: 'read small' }, `Read by ${names.join(', ')}`)]
  })
}

function toSystemRow({ id, text }: ShownMessage): HTMLElement {
  return element('p', { id: `message-${id}`, className: 'system small' }, text)
}

function toTextRow({ id, text, senderId, senderName, createdOn, state }: ShownMessage, self: Person): HTMLElement {
  const isOwn = senderId === self.id
  const time = createdOn.toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' })
  const meta = element(
    'p',
    { className: 'meta small' },
    element('strong', {}, isOwn ? 'You' : senderName || '…'),
    ` ${time}${state === 'edited' ? ' · edited' : ''}`,
  )
  if (isOwn && state !== 'deleted') meta.append(actionButton('edit', id, 'Edit'), actionButton('delete', id, 'Delete'))
  return element(
    'div',
    { id: `message-${id}`, className: isOwn ? 'message own' : 'message' },
    meta,
    element('p', { className: state === 'deleted' ? 'text deleted' : 'text' }, state === 'deleted' ? 'Deleted' : text),
  )
}

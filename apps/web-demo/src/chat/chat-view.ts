import type { ChatThreadItem } from '@azure/communication-chat'
import { actionButton, element, getElement, replaceChanged } from '../element.ts'
import type { Person } from '../people.ts'
import { toMessageRows } from './message-rows.ts'
import type { OpenThread } from './open-thread.ts'

export type Connection = 'connecting' | 'connected' | 'reconnecting' | 'offline'

export interface ChatState {
  readonly self: Person
  readonly connection: Connection
  readonly threads: readonly ChatThreadItem[]
  readonly unread: ReadonlySet<string>
  readonly thread: OpenThread | undefined
  /** People in other windows. */
  readonly people: readonly Person[]
  /** Id of the message that is being edited. */
  readonly editing: string | undefined
}

const connectionTexts: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  offline: 'Offline',
}

/** Shows the state of the chat. */
export function showChat(state: ChatState): void {
  const { connection, thread } = state
  const badge = getElement('connection')
  badge.hidden = false
  badge.dataset['state'] = connection
  if (badge.textContent !== connectionTexts[connection]) badge.textContent = connectionTexts[connection]
  showThreads(state)
  getElement('thread').hidden = thread === undefined
  getElement('chat-empty').hidden = thread !== undefined
  for (const id of ['chat-hint', 'open-chat']) getElement(id).hidden = true
  getElement('no-chats').hidden = false
  if (thread) showThread(state, thread)
}

/** Offers to open the chat again. */
export function showClosedChat(): void {
  for (const id of ['connection', 'chat-switch', 'thread', 'no-chats']) getElement(id).hidden = true
  for (const id of ['chat-empty', 'chat-hint', 'open-chat']) getElement(id).hidden = false
}

function showThreads({ threads, thread, unread }: ChatState): void {
  getElement('chat-switch').hidden = false
  getElement('new-chat').classList.toggle('main', thread === undefined)
  const select = getElement<HTMLSelectElement>('threads')
  select.hidden = threads.length < 2 && unread.size === 0
  const options = threads.map(({ id, topic }) =>
    element('option', { id: `option-${id}`, value: id }, unread.has(id) ? `${topic} (new)` : topic),
  )
  replaceChanged(select, options)
  select.value = thread?.id ?? ''
}

function showThread({ self, threads, people, editing }: ChatState, thread: OpenThread): void {
  const topic = getElement<HTMLInputElement>('topic')
  if (document.activeElement !== topic) topic.value = threads.find(({ id }) => id === thread.id)?.topic ?? ''
  const participants = thread.getParticipants()
  const chips = participants.map((id) =>
    element(
      'li',
      { id: `participant-${id}`, title: id },
      thread.getName(id),
      id === self.id ? ' (you)' : undefined,
      id === self.id ? undefined : actionButton('remove', id, '×', `Remove ${thread.getName(id)}`),
    ),
  )
  replaceChanged(getElement('participants'), chips)
  const offers = people
    .filter(({ id }) => !participants.includes(id))
    .map(({ id, name }) =>
      element('li', { id: `person-${id}` }, `${name} is in another window. `, actionButton('add', id, `Add ${name}`)),
    )
  replaceChanged(getElement('people'), offers)
  showMessages(thread, self)
  const names = thread.getTyping()
  getElement('typing').textContent =
    names.length === 0 ? '' : `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} typing…`
  getElement('cancel-edit').hidden = editing === undefined
  getElement('send').textContent = editing === undefined ? 'Send' : 'Save'
}

function showMessages(thread: OpenThread, self: Person): void {
  const list = getElement('messages')
  if (list.dataset['thread'] !== thread.id) list.replaceChildren()
  list.dataset['thread'] = thread.id
  replaceChanged(list, toMessageRows(thread, self))
}

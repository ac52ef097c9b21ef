import { onClick, onSubmit } from '../actions.ts'
import { getElement } from '../element.ts'
import { showNotice } from '../notice.ts'
import { toCall } from '../snippet.ts'
import { showChatSnippet, showThreadSnippet } from './chat-snippet.ts'
import type { Chat } from './chat.ts'
import type { OpenThread } from './open-thread.ts'

/** Connects the controls of the chat's card, until the signal ends that. */
export function connectControls(chat: Chat, signal: AbortSignal): void {
  const { client, self } = chat
  const message = getElement<HTMLInputElement>('message')
  const userId = getElement<HTMLInputElement>('user-id')
  const displayName = getElement<HTMLInputElement>('display-name')
  const topic = getElement<HTMLInputElement>('topic')
  const threads = getElement<HTMLSelectElement>('threads')
  const rename = getElement<HTMLFormElement>('rename')

  onClick('chat', getElement('new-chat'), createThread, signal)
  onClick('chat', getElement('leave'), leave, signal)
  onSubmit('chat', getElement('composer'), sendMessage, signal)
  onSubmit('chat', rename, updateTopic, signal)
  onSubmit('chat', getElement('add'), addByIdentity, signal)
  topic.addEventListener('change', () => rename.requestSubmit(), { signal })
  threads.addEventListener('change', () => void chat.run(() => chat.open(threads.value)), { signal })
  message.addEventListener('input', () => void notifyTyping(), { signal })
  getElement('cancel-edit').addEventListener('click', () => edit(undefined), { signal })
  message.addEventListener('keydown', cancelEdit, { signal })
  for (const list of ['participants', 'people', 'messages']) {
    getElement(list).addEventListener('click', (event) => runAction(event.target as HTMLElement), { signal })
  }
  addEventListener('online', () => void chat.reload(), { signal })
  addEventListener('offline', chat.render, { signal })
  document.addEventListener('visibilitychange', () => void chat.markRead(), { signal })

  function runAction(target: HTMLElement): void {
    const { action, argument = '' } = target.dataset
    if (action === 'edit') edit(argument)
    if (action === 'add') void runAndFocus(() => addOffered(argument))
    if (action === 'remove') void runAndFocus(() => removePerson(argument))
    if (action === 'delete') void runAndFocus(() => deleteMessage(argument))
  }

  /** Moves the focus, since the button of the action disappears. */
  async function runAndFocus(action: () => Promise<void>): Promise<void> {
    await chat.run(action)
    message.focus()
  }

  async function createThread(): Promise<void> {
    const topic = `${self.name}’s chat`
    const participants = [{ id: { communicationUserId: self.id }, displayName: self.name }]
    const { chatThread } = await client.createChatThread({ topic }, { participants })
    showChatSnippet(toCall('const { chatThread } = await chat.createChatThread', { topic }, { participants }))
    await chat.refresh(chatThread!.id)
    message.focus()
  }

  async function leave(): Promise<void> {
    const topic = chat.getTopic()
    const threadId = thread().id
    await removePerson(self.id)
    await chat.leave(threadId)
    showNotice('chat', { kind: 'success', text: `You left “${topic}”.` })
    getElement('new-chat').focus()
  }

  async function addOffered(offered: string): Promise<void> {
    await addPerson(offered, chat.getPeople().find(({ id }) => id === offered)?.name)
  }

  async function addByIdentity(): Promise<void> {
    await addPerson(userId.value.trim(), displayName.value.trim() || undefined)
    userId.value = displayName.value = ''
    userId.closest('details')!.open = false
    message.focus()
  }

  async function addPerson(communicationUserId: string, displayName?: string): Promise<void> {
    const participant = { id: { communicationUserId }, ...(displayName !== undefined && { displayName }) }
    const { invalidParticipants } = await thread().client.addParticipants({ participants: [participant] })
    const [invalid] = invalidParticipants ?? []
    if (invalid) throw new Error(`The person was not added. ${invalid.message}`)
    showThreadSnippet(toCall('await thread.addParticipants', { participants: [participant] }))
  }

  async function removePerson(communicationUserId: string): Promise<void> {
    await thread().client.removeParticipant({ communicationUserId })
    showThreadSnippet(toCall('await thread.removeParticipant', { communicationUserId }))
  }

  async function updateTopic(): Promise<void> {
    if (topic.value === chat.getTopic()) return
    await thread().client.updateTopic(topic.value)
    showThreadSnippet(toCall('await thread.updateTopic', topic.value))
  }

  async function sendMessage(): Promise<void> {
    const content = message.value.trim()
    if (content === '') return
    const edited = chat.getEditing()
    const options = { senderDisplayName: self.name }
    if (edited === undefined) await thread().client.sendMessage({ content }, options)
    else await thread().client.updateMessage(edited, { content })
    showThreadSnippet(
      edited === undefined
        ? toCall('await thread.sendMessage', { content }, options)
        : toCall('await thread.updateMessage', edited, { content }),
    )
    message.value = ''
    chat.setEditing(undefined)
  }

  async function deleteMessage(id: string): Promise<void> {
    await thread().client.deleteMessage(id)
    showThreadSnippet(toCall('await thread.deleteMessage', id))
  }

  function edit(id: string | undefined): void {
    message.value = thread().getText(id)
    chat.setEditing(id)
    message.focus()
  }

  function cancelEdit({ key }: KeyboardEvent): void {
    if (key === 'Escape' && chat.getEditing() !== undefined) edit(undefined)
  }

  async function notifyTyping(): Promise<void> {
    if (message.value === '') return
    // A lost notification needs no message.
    await thread()
      .client.sendTypingNotification({ senderDisplayName: self.name })
      .catch(() => undefined)
  }

  function thread(): OpenThread {
    return chat.getThread()!
  }
}

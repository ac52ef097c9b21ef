import type { ChatMessageEditedEvent, ChatMessageReceivedEvent } from '@azure/communication-chat'
import { showNotice } from '../notice.ts'
import type { Chat } from './chat.ts'
import { toId, toText, type ShownMessage } from './message.ts'
import type { OpenThread } from './open-thread.ts'

/** Applies the events of Azure's client to the chat. */
export function subscribe(chat: Chat): void {
  const { client, self } = chat

  /** Changes the open thread if an event belongs to it. */
  function change(threadId: string, apply: (thread: OpenThread) => void): void {
    const thread = chat.getThread()
    if (thread?.id !== threadId) return
    apply(thread)
    chat.render()
  }

  /** A failure is repeated by the next event, or when the client connects again. */
  const refreshList = () => void chat.refresh().catch(() => undefined)

  function update(threadId: string): void {
    if (chat.getThread()?.id === threadId) void chat.update().catch(() => undefined)
  }

  function addThread(threadId: string): void {
    chat.join(threadId)
    if (chat.getThread()?.id === threadId) return
    if (chat.getThread()) chat.addUnread(threadId)
    refreshList()
  }

  client.on('chatMessageReceived', (event) => {
    if (chat.getThread()?.id !== event.threadId) return chat.addUnread(event.threadId)
    change(event.threadId, (thread) => thread.putMessage(toMessage(event)))
    void chat.markRead()
  })
  client.on('chatMessageEdited', (event) => change(event.threadId, (thread) => thread.putMessage(toMessage(event))))
  client.on('chatMessageDeleted', ({ threadId, id }) => change(threadId, (thread) => thread.deleteMessage(id)))
  client.on('typingIndicatorReceived', ({ threadId, sender, senderDisplayName }) =>
    change(threadId, (thread) => thread.addTyping(toId(sender)!, senderDisplayName)),
  )
  client.on('readReceiptReceived', ({ threadId, sender, chatMessageId }) =>
    change(threadId, (thread) => thread.addReader(toId(sender)!, chatMessageId)),
  )
  client.on('chatThreadCreated', ({ threadId }) => addThread(threadId))
  client.on('chatThreadDeleted', refreshList)
  client.on('chatThreadPropertiesUpdated', ({ threadId, properties }) => {
    chat.rename(threadId, properties.topic)
    update(threadId)
  })
  client.on('participantsAdded', ({ threadId, participantsAdded }) => {
    if (participantsAdded.some(({ id }) => toId(id) === self.id)) addThread(threadId)
    update(threadId)
  })
  client.on('participantsRemoved', ({ threadId, participantsRemoved, removedBy }) => {
    const isSelf = participantsRemoved.some(({ id }) => toId(id) === self.id)
    const remover = toId(removedBy.id)
    if (!isSelf) return update(threadId)
    if (remover !== self.id) {
      const name = chat.getThread()?.id === threadId ? chat.getThread()!.getName(remover!) : removedBy.displayName
      showNotice('chat', { kind: 'warning', text: `${name} removed you from the chat.` })
    }
    void chat.leave(threadId).catch(() => undefined)
  })
}

function toMessage(event: ChatMessageReceivedEvent | ChatMessageEditedEvent): ShownMessage {
  return {
    id: event.id,
    kind: 'text',
    text: toText(event.message, event.type),
    senderId: toId(event.sender),
    senderName: event.senderDisplayName,
    createdOn: event.createdOn,
    state: 'editedOn' in event ? 'edited' : 'original',
  }
}

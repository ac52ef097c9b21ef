import { ChatClient } from '@azure/communication-chat'
import { AzureCommunicationTokenCredential } from '@azure/communication-common'
import { ChatClient as Client14 } from 'communication-chat-1.4'
import { ChatClient as Client15 } from 'communication-chat-1.5'
import { expect, it } from 'vitest'
import { useChat } from './chat-fixture.ts'

const fixture = useChat()

// The published SDKs, unmodified, with the api-version that they send.
const clients = [
  ['communication-chat 1.4.0', '2023-11-07', Client14],
  ['communication-chat 1.5.4', '2024-03-07', Client15],
  ['communication-chat 1.6.0', '2025-03-15', ChatClient],
] as const

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  return Array.fromAsync(items)
}

it.for(clients)('serves %s with api-version %s', async ([_name, apiVersion, Client]) => {
  const { emulator } = fixture
  const [alice, bob, carol] = [await fixture.createPerson(), await fixture.createPerson(), await fixture.createPerson()]
  const client = new Client(emulator.endpoint, new AzureCommunicationTokenCredential(alice.token)) as ChatClient
  const { chatThread, invalidParticipants } = await client.createChatThread(
    { topic: 'Größe "50%" & 日本' },
    { participants: [{ id: { communicationUserId: bob.id }, displayName: 'Bob' }] },
  )
  expect(invalidParticipants).toBeUndefined()
  expect(chatThread).toMatchObject({
    topic: 'Größe "50%" & 日本',
    createdBy: { kind: 'communicationUser', communicationUserId: alice.id },
  })
  const thread = client.getChatThreadClient(chatThread!.id)
  const first = await thread.sendMessage(
    { content: 'Hello' },
    { senderDisplayName: 'Alice', metadata: { mood: 'good' } },
  )
  const second = await thread.sendMessage({ content: '<b>Bye</b>' }, { type: 'html' })
  await thread.updateMessage(first.id, { content: 'Hello!' })
  await thread.deleteMessage(second.id)
  await thread.updateTopic('Lunch')
  expect(await thread.sendTypingNotification({ senderDisplayName: 'Alice' })).toBe(true)
  await thread.sendReadReceipt({ chatMessageId: first.id })
  await thread.addParticipants({ participants: [{ id: { communicationUserId: carol.id }, displayName: 'Carol' }] })
  await thread.removeParticipant({ communicationUserId: bob.id })

  expect(await thread.getProperties()).toMatchObject({ topic: 'Lunch' })
  const messages = await collect(thread.listMessages({ maxPageSize: 2 }))
  expect(messages.map(({ type, sequenceId }) => `${sequenceId} ${type}`)).toEqual([
    '7 participantRemoved',
    '6 participantAdded',
    '5 topicUpdated',
    '4 html',
    '3 text',
    '2 topicUpdated',
    '1 participantAdded',
  ])
  expect(messages[4]).toMatchObject({
    content: { message: 'Hello!' },
    senderDisplayName: 'Alice',
    metadata: { mood: 'good' },
    sender: { communicationUserId: alice.id },
    editedOn: expect.any(Date),
  })
  expect(messages[3]!.deletedOn).toBeInstanceOf(Date)
  expect(messages[0]).toMatchObject({
    content: { participants: [{ id: { communicationUserId: bob.id }, displayName: 'Bob' }] },
  })
  expect(await thread.getMessage(first.id)).toMatchObject({ id: first.id, content: { message: 'Hello!' } })
  expect(await collect(thread.listParticipants())).toMatchObject([
    { id: { communicationUserId: alice.id } },
    { id: { communicationUserId: carol.id }, displayName: 'Carol' },
  ])
  expect(await collect(thread.listReadReceipts())).toMatchObject([
    { chatMessageId: first.id, sender: { communicationUserId: alice.id } },
  ])
  expect(await collect(client.listChatThreads())).toMatchObject([{ id: chatThread!.id, topic: 'Lunch' }])
  await client.deleteChatThread(chatThread!.id)
  expect(await collect(client.listChatThreads())).toMatchObject([{ id: chatThread!.id, deletedOn: expect.any(Date) }])
  await expect(thread.getProperties()).rejects.toMatchObject({ statusCode: 404, code: undefined })

  const logged = emulator.requests.list().filter(({ path }) => path.startsWith('/chat'))
  expect(new Set(logged.map((request) => request.apiVersion))).toEqual(new Set([apiVersion]))
  expect(logged.every(({ communicationUserId }) => communicationUserId === alice.id)).toBe(true)
  expect(logged[0]).toMatchObject({ operation: 'createChatThread', threadId: chatThread!.id })
  expect(logged.at(-1)).toMatchObject({ errorCode: 'NotFound', threadId: chatThread!.id })
})

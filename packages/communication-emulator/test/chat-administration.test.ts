import { describe, expect, it } from 'vitest'
import { InvalidSettingError } from '../src/index.ts'
import { useChat } from './chat-fixture.ts'
import { exchange } from './signed-request.ts'

const fixture = useChat({ resources: [{ name: 'contoso' }] })

function call(method: string, path: string, body?: unknown) {
  return exchange(fixture.emulator.endpoint, {
    method,
    target: `/_emulator/chat/${path}`,
    headers: { 'content-type': 'application/json' },
    payload: body === undefined ? '' : JSON.stringify(body),
  })
}

const toQuery = (parameters: Record<string, string>) => `?${new URLSearchParams(parameters).toString()}`

describe('in process', () => {
  it('plays the other person', async () => {
    const { chat } = fixture.emulator
    const alice = await fixture.createPerson()
    const bob = fixture.emulator.createIdentity()
    const { id: threadId } = chat.createThread({
      topic: 'Lunch',
      createdBy: bob,
      participants: [{ communicationUserId: bob, displayName: 'Bob' }, { communicationUserId: alice.id }],
    })
    const thread = alice.client.getChatThreadClient(threadId)
    const acting = { threadId, communicationUserId: bob }
    chat.sendMessage({ ...acting, content: '<i>Hello</i>', type: 'html', senderDisplayName: 'Bob' })
    chat.sendTyping(acting)
    const { id } = await thread.sendMessage({ content: 'Hi' })
    chat.sendReadReceipt(acting)
    const [receipt] = await Array.fromAsync(thread.listReadReceipts())
    expect(receipt).toMatchObject({ chatMessageId: id, sender: { communicationUserId: bob } })
    const messages = await Array.fromAsync(thread.listMessages())
    expect(messages[1]).toMatchObject({ type: 'html', senderDisplayName: 'Bob', content: { message: '<i>Hello</i>' } })
    expect(chat.messages(threadId).map(({ type }) => type)).toEqual([
      'participantAdded',
      'topicUpdated',
      'html',
      'text',
    ])
    chat.removeParticipant(acting)
    expect(chat.threads({ communicationUserId: bob })).toEqual([])
    expect(chat.threads({ communicationUserId: alice.id })).toMatchObject([
      { id: threadId, resource: 'default', participants: [{ communicationUserId: alice.id }] },
    ])
  })

  it('waits for the events of a client', async () => {
    const { chat } = fixture.emulator
    const alice = await fixture.createPerson()
    const created = chat.waitForEvent({ name: 'chatThreadCreated', communicationUserId: alice.id })
    const { chatThread } = await alice.client.createChatThread({ topic: 'Lunch' })
    expect(await created).toMatchObject({
      thread: { id: chatThread!.id, topic: 'Lunch', resource: 'default' },
      recipients: [alice.id],
      by: { communicationUserId: alice.id },
    })
    const thread = alice.client.getChatThreadClient(chatThread!.id)
    await thread.sendMessage({ content: 'one' })
    await thread.sendMessage({ content: 'two' })
    const first = await chat.waitForEvent({ name: 'chatMessageReceived', after: (await created)!.index })
    const second = await chat.waitForEvent({ name: 'chatMessageReceived', after: first!.index })
    expect([first, second]).toMatchObject([
      { message: { content: { message: 'one' } } },
      { message: { content: { message: 'two' } } },
    ])
    expect(await chat.waitForEvent({ threadId: chatThread!.id, timeoutMs: 0 })).toBeUndefined()
    const bob = fixture.emulator.createIdentity()
    expect(await chat.waitForEvent({ communicationUserId: bob, after: 0, timeoutMs: 0 })).toBeUndefined()
  })

  it('has one event for each message that a user reads', async () => {
    const { chat } = fixture.emulator
    const alice = fixture.emulator.createIdentity()
    const { id: threadId } = chat.createThread({ topic: 'Lunch', createdBy: alice })
    const acting = { threadId, communicationUserId: alice }
    const { id: messageId } = chat.sendMessage({ ...acting, content: 'Hello' })
    const first = chat.waitForEvent({ name: 'readReceiptReceived' })
    chat.sendReadReceipt(acting)
    expect(await first).toMatchObject({ receipt: { messageId, communicationUserId: alice } })
    chat.sendReadReceipt(acting)
    expect(await chat.waitForEvent({ after: (await first)!.index, timeoutMs: 0 })).toBeUndefined()
  })

  it('publishes each kind of event to all participants, after the change is visible', async () => {
    const { chat } = fixture.emulator
    const [alice, bob] = [await fixture.createPerson(), await fixture.createPerson()]
    const { id: threadId } = chat.createThread({ topic: 'Lunch', createdBy: alice.id })
    const thread = alice.client.getChatThreadClient(threadId)
    let messageId = ''
    const steps: [name: string, recipients: string[], step: () => Promise<unknown>][] = [
      [
        'participantsAdded',
        [alice.id, bob.id],
        () => thread.addParticipants({ participants: [{ id: { communicationUserId: bob.id } }] }),
      ],
      [
        'chatMessageReceived',
        [alice.id, bob.id],
        async () => ({ id: messageId } = await thread.sendMessage({ content: 'Hello' })),
      ],
      ['chatMessageEdited', [alice.id, bob.id], () => thread.updateMessage(messageId, { content: 'Bye' })],
      ['readReceiptReceived', [alice.id, bob.id], () => thread.sendReadReceipt({ chatMessageId: messageId })],
      ['typingIndicatorReceived', [alice.id, bob.id], () => thread.sendTypingNotification()],
      ['chatMessageDeleted', [alice.id, bob.id], () => thread.deleteMessage(messageId)],
      ['chatThreadPropertiesUpdated', [alice.id, bob.id], () => thread.updateTopic('Dinner')],
      ['participantsRemoved', [alice.id, bob.id], () => thread.removeParticipant({ communicationUserId: bob.id })],
      ['chatThreadDeleted', [alice.id], () => alice.client.deleteChatThread(threadId)],
    ]
    for (const [name, recipients, step] of steps) {
      const next = chat.waitForEvent({ threadId })
      await step()
      expect(await next).toMatchObject({ name, thread: { id: threadId } })
      expect((await next)!.recipients.toSorted()).toEqual(recipients.toSorted())
      if (name === 'chatThreadPropertiesUpdated') {
        expect(await next).toMatchObject({ thread: { topic: 'Dinner' } })
        expect(chat.messages(threadId).at(-1)).toMatchObject({
          type: 'topicUpdated',
          version: String((await next)!.at),
        })
      }
    }
  })

  it.each<[string, (alice: string, thread: string, foreign: string) => unknown]>([
    ['unknown thread', (alice) => fixture.emulator.chat.sendTyping({ threadId: '19:x', communicationUserId: alice })],
    ['unknown thread', () => fixture.emulator.chat.messages('19:x')],
    [
      'is not a participant',
      (_, threadId, foreign) => fixture.emulator.chat.sendTyping({ threadId, communicationUserId: foreign }),
    ],
    ['unknown identity', () => fixture.emulator.chat.createThread({ topic: 'Lunch', createdBy: '8:acs:unknown' })],
    [
      'another resource',
      (communicationUserId, threadId, foreign) =>
        fixture.emulator.chat.addParticipants({
          threadId,
          communicationUserId,
          participants: [{ communicationUserId: foreign }],
        }),
    ],
    [
      'no message to read',
      (communicationUserId, threadId) => fixture.emulator.chat.sendReadReceipt({ threadId, communicationUserId }),
    ],
    [
      'at most 28672 bytes',
      (communicationUserId, threadId) =>
        fixture.emulator.chat.sendMessage({ threadId, communicationUserId, content: 'a'.repeat(28_673) }),
    ],
  ])('reports %s', (words, perform) => {
    const alice = fixture.emulator.createIdentity()
    const { id } = fixture.emulator.chat.createThread({ topic: 'Lunch', createdBy: alice })
    const foreign = fixture.emulator.createIdentity({ resource: 'contoso' })
    expect(() => perform(alice, id, foreign)).toThrow(InvalidSettingError)
    expect(() => perform(alice, id, foreign)).toThrow(words)
  })

  it.each([
    ['metadata', { metadata: { a: 'a'.repeat(1024) } }],
    ['retention', { retentionDays: 29 }],
    ['retention', { retentionDays: 30.5 }],
  ])('has the documented limit of the %s (case %#)', (words, change) => {
    const { chat } = fixture.emulator
    const createdBy = fixture.emulator.createIdentity()
    expect(() => chat.createThread({ topic: 'Lunch', createdBy, ...change })).toThrow(
      expect.objectContaining({ name: 'InvalidSettingError', message: expect.stringContaining(words) as string }),
    )
    expect(chat.threads()).toEqual([])
  })

  it('is empty after a reset, and the threads of a deleted identity stay', async () => {
    const alice = await fixture.createPerson()
    const bob = fixture.emulator.createIdentity()
    const { chat } = fixture.emulator
    const { id } = chat.createThread({ topic: 'a', createdBy: bob, participants: [{ communicationUserId: alice.id }] })
    await fixture.call({ method: 'DELETE', target: `/identities/${bob}?api-version=2023-10-01` })
    expect((await alice.call('GET', `/${id}/participants`)).json.value).toHaveLength(2)
    await fixture.emulator.reset()
    expect(chat.threads()).toEqual([])
    expect(() => chat.messages(id)).toThrow('unknown thread')
  })
})

describe('over HTTP', () => {
  it('plays the other person, and waits for events', async () => {
    const alice = await fixture.createPerson()
    const bob = fixture.emulator.createIdentity()
    const carol = fixture.emulator.createIdentity()
    const created = await call('POST', 'threads', {
      topic: 'Lunch',
      createdBy: bob,
      participants: [
        { communicationUserId: alice.id, displayName: 'Alice', shareHistoryFrom: 0, metadata: { a: 'b' } },
      ],
      metadata: { c: 'd' },
      retentionDays: 30,
    })
    expect(created).toMatchObject({ status: 201, json: { topic: 'Lunch', metadata: { c: 'd' }, retentionDays: 30 } })
    const threadId = created.json.id as string
    const acting = { threadId, communicationUserId: bob }
    const event = call(
      'GET',
      `events${toQuery({ name: 'chatMessageReceived', communicationUserId: alice.id, after: '0' })}`,
    )
    const sent = await call('POST', 'messages', { ...acting, content: 'Hello', type: 'text', metadata: { e: 'f' } })
    expect(sent).toMatchObject({ status: 201, json: { content: { message: 'Hello' }, metadata: { e: 'f' } } })
    expect((await event).json).toMatchObject({ name: 'chatMessageReceived', message: { id: sent.json.id } })
    expect((await call('POST', 'typing', { ...acting, senderDisplayName: 'Bob' })).status).toBe(204)
    const typing = await call('GET', `events${toQuery({ threadId, after: `${(await event).json.index}` })}`)
    expect(typing.json).toMatchObject({ name: 'typingIndicatorReceived', by: { displayName: 'Bob' } })
    expect((await call('GET', `events${toQuery({ timeoutMs: '0' })}`)).status).toBe(204)
    expect((await call('POST', 'readReceipts', acting)).status).toBe(204)
    expect((await call('POST', 'readReceipts', { ...acting, messageId: sent.json.id })).status).toBe(204)
    const empty = { ...acting, content: '', senderDisplayName: '' }
    expect((await call('POST', 'messages', empty)).json).toMatchObject({ content: { message: '' } })

    const participants = [{ communicationUserId: carol }]
    expect((await call('POST', 'participants', { ...acting, participants })).status).toBe(204)
    expect((await call('GET', `threads${toQuery({ communicationUserId: carol })}`)).json).toHaveLength(1)
    expect((await call('DELETE', `participants${toQuery({ ...acting, participant: carol })}`)).status).toBe(204)
    expect((await call('DELETE', `participants${toQuery(acting)}`)).status).toBe(204)
    expect((await call('GET', 'threads')).json[0].participants).toMatchObject([{ communicationUserId: alice.id }])
    expect((await call('GET', `messages${toQuery({ threadId })}`)).json).toHaveLength(7)
    expect((await call('GET', 'connections')).json).toEqual([])
    expect((await call('DELETE', `connections${toQuery({ communicationUserId: bob })}`)).json).toEqual({ closed: 0 })
  })

  it.each([
    ['POST', 'threads', {}, 'topic must be a string'],
    ['POST', 'threads', { topic: 'a', createdBy: 'b', participants: {} }, 'participants must be an array'],
    [
      'POST',
      'threads',
      { topic: 'a', createdBy: 'b', participants: ['c'] },
      'participants must be an array of objects',
    ],
    ['POST', 'threads', { topic: 'a', createdBy: 'b', metadata: { c: 1 } }, 'metadata must be an object of strings'],
    ['POST', 'messages', { threadId: '19:x' }, 'communicationUserId must be a string'],
    ['POST', 'messages', { threadId: 'a', communicationUserId: 'b', content: 'c', type: 'd' }, 'type must be'],
    ['GET', 'messages', undefined, 'threadId must be a string'],
    ['GET', 'events?name=unknown', undefined, 'unknown event unknown'],
    ['GET', 'events?timeoutMs=600001', undefined, 'timeoutMs must be'],
    ['DELETE', 'connections', undefined, 'communicationUserId must be a string'],
  ])('rejects %s %s %j with the reason', async (method, path, body, words) => {
    const { status, json } = await call(method, path, body)
    expect({ status, message: json.error.message }).toEqual({ status: 400, message: expect.stringContaining(words) })
  })
})

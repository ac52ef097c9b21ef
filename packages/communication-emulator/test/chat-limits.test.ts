import { describe, expect, it } from 'vitest'
import { useChat, type ChatPerson } from './chat-fixture.ts'

const fixture = useChat()
const strict = useChat({ strict: true })

async function createThread(person: ChatPerson, ...others: ChatPerson[]): Promise<string> {
  const { json } = await person.call('POST', '', { topic: 'Lunch', participants: fixture.toParticipants(...others) })
  return json.chatThread.id as string
}

function createPeople(count: number): { id: string }[] {
  return Array.from({ length: count }, () => ({ id: fixture.emulator.createIdentity() }))
}

describe('sizes', () => {
  it('200 participants in a request, and 250 in a thread', async () => {
    const alice = await fixture.createPerson()
    const people = createPeople(250)
    const create = (count: number) =>
      alice.call('POST', '', { topic: 'Lunch', participants: fixture.toParticipants(...people.slice(0, count)) })
    expect(await create(201)).toMatchObject({ status: 400, json: { CommunicationError: { Code: 'BadRequest' } } })
    const { status, json } = await create(200)
    expect(status).toBe(201)
    const { id } = json.chatThread
    const add = (...added: { id: string }[]) =>
      alice.call('POST', `/${id}/participants/:add`, { participants: fixture.toParticipants(...added) })
    expect((await add(...people.slice(200))).status).toBe(400)
    expect(fixture.emulator.chat.threads()[0]!.participants).toHaveLength(201)
    expect((await add(...people.slice(200, 249))).status).toBe(201)
    expect((await add(people[249]!)).status).toBe(400)
    expect((await alice.call('GET', `/${id}/participants`)).json.value).toHaveLength(200)
  })

  it('28 KB for the content of a message, in UTF-8', async () => {
    const alice = await fixture.createPerson()
    const id = await createThread(alice)
    const send = (content: string) => alice.call('POST', `/${id}/messages`, { content })
    const sent = await send('a'.repeat(28 * 1024))
    expect(sent.status).toBe(201)
    expect((await send('a'.repeat(28 * 1024 + 1))).status).toBe(400)
    expect((await send('ä'.repeat(14 * 1024 + 1))).status).toBe(400)
    const edited = await alice.call('PATCH', `/${id}/messages/${sent.json.id}`, { content: 'ä'.repeat(14 * 1024 + 1) })
    expect(edited.status).toBe(400)
  })

  it('1 KB for the metadata of a thread, also after a merge, and of a participant', async () => {
    const alice = await fixture.createPerson()
    const { status, json } = await alice.call('POST', '', { topic: 'Lunch', metadata: { a: 'a'.repeat(1023) } })
    expect(status).toBe(201)
    const target = `/${json.chatThread.id}`
    expect((await alice.call('PATCH', target, { metadata: { b: 'b' } })).status).toBe(400)
    expect((await alice.call('PATCH', target, { metadata: { a: 'a', b: 'b' } })).status).toBe(204)
    const participants = [{ ...fixture.toParticipants(alice)[0], metadata: { a: 'a'.repeat(1024) } }]
    expect((await alice.call('POST', '', { topic: 'Lunch', participants })).status).toBe(400)
  })

  it.each([29, 91, 30.5])('30 to 90 days of retention, not %d', async (deleteThreadAfterDays) => {
    const alice = await fixture.createPerson()
    const retentionPolicy = { kind: 'threadCreationDate', deleteThreadAfterDays }
    expect((await alice.call('POST', '', { topic: 'Lunch', retentionPolicy })).status).toBe(400)
  })

  it('200 messages in a page, and 6 by default', async () => {
    const alice = await fixture.createPerson()
    const id = await createThread(alice)
    for (let n = 0; n < 200; n++) {
      fixture.emulator.chat.sendMessage({ threadId: id, communicationUserId: alice.id, content: 'Hello' })
    }
    const page = (await alice.call('GET', `/${id}/messages?maxPageSize=1000`)).json
    expect(page.value).toHaveLength(200)
    expect(page.nextLink).toContain('maxPageSize=200')
    expect((await alice.call('GET', `/${id}/messages`)).json.value).toHaveLength(6)
  })

  it('20 participants with typing and receipts', async () => {
    const alice = await fixture.createPerson()
    const { chat } = fixture.emulator
    const participants = createPeople(19).map(({ id: communicationUserId }) => ({ communicationUserId }))
    const { id: threadId } = chat.createThread({ topic: 'Lunch', createdBy: alice.id, participants })
    const { id: messageId } = chat.sendMessage({ threadId, communicationUserId: alice.id, content: 'Hello' })
    const typing = chat.waitForEvent({ name: 'typingIndicatorReceived' })
    expect((await alice.call('POST', `/${threadId}/typing`)).status).toBe(200)
    const { index } = (await typing)!
    const [another] = createPeople(1)
    chat.addParticipants({
      threadId,
      communicationUserId: alice.id,
      participants: [{ communicationUserId: another!.id }],
    })
    expect((await alice.call('POST', `/${threadId}/typing`)).status).toBe(200)
    expect((await alice.call('POST', `/${threadId}/readReceipts`, { chatMessageId: messageId })).status).toBe(200)
    expect((await alice.call('GET', `/${threadId}/readReceipts`)).json.value).toEqual([])
    expect(await chat.waitForEvent({ name: 'typingIndicatorReceived', after: index, timeoutMs: 0 })).toBeUndefined()
  })
})

describe('documented quotas', () => {
  const tooMany = { status: 429, json: { CommunicationError: { Code: 'TooManyRequests', Details: [] } } }

  function setUp() {
    fixture.emulator.quotas.set(true)
    // The start of a window of ten seconds, and of a minute.
    fixture.emulator.clock.set(new Date('2030-01-01T00:00:00Z'))
  }

  it('are shared by sending, editing and deleting in a thread, in two windows', async () => {
    setUp()
    const [alice, bob] = [await fixture.createPerson(), await fixture.createPerson()]
    const id = await createThread(alice, bob)
    const other = await createThread(alice)
    const send = (person: ChatPerson, thread = id) => person.call('POST', `/${thread}/messages`, { content: 'Hello' })
    const first = await send(alice)
    const target = `/${id}/messages/${first.json.id}`
    expect((await alice.call('PATCH', target, { content: 'Bye' })).status).toBe(204)
    expect((await alice.call('DELETE', target)).status).toBe(204)
    for (let n = 3; n < 10; n++) expect((await send(n % 2 ? alice : bob)).status).toBe(201)
    const rejected = await send(bob)
    expect(rejected).toMatchObject(tooMany)
    expect(Number(rejected.headers['retry-after'])).toBeGreaterThan(0)
    expect(Number(rejected.headers['retry-after'])).toBeLessThanOrEqual(10)
    expect(rejected.text).toContain('\r\n')
    expect((await send(alice, other)).status).toBe(201)
    expect(fixture.emulator.chat.messages(id)).toHaveLength(2 + 8)

    // The rejected request counts too: 11 in the first window, 10 in the second, 9 in the third.
    let accepted = 0
    for (const _window of [2, 3]) {
      fixture.emulator.clock.advance(10_000)
      for (let n = 0; n < 10; n++) if ((await send(alice)).status === 201) accepted++
    }
    expect(accepted).toBe(19)
    fixture.emulator.clock.advance(10_000)
    expect(await send(alice)).toMatchObject(tooMany)
    fixture.emulator.clock.advance(30_000)
    expect((await send(alice)).status).toBe(201)
    fixture.emulator.quotas.set(false)
  })

  it('apply to each user for creating and listing threads', async () => {
    setUp()
    const [alice, bob] = [await fixture.createPerson(), await fixture.createPerson()]
    for (let n = 0; n < 10; n++) expect((await alice.call('POST', '', { topic: 'Lunch' })).status).toBe(201)
    expect(await alice.call('POST', '', { topic: 'Lunch' })).toMatchObject(tooMany)
    expect((await bob.call('POST', '', { topic: 'Lunch' })).status).toBe(201)
    fixture.emulator.quotas.set(false)
  })

  it('apply to each user in a thread for receipts and typing', async () => {
    setUp()
    const [alice, bob] = [await fixture.createPerson(), await fixture.createPerson()]
    const id = await createThread(alice, bob)
    for (let n = 0; n < 5; n++) expect((await alice.call('POST', `/${id}/typing`)).status).toBe(200)
    expect(await alice.call('POST', `/${id}/typing`)).toMatchObject(tooMany)
    expect((await bob.call('POST', `/${id}/typing`)).status).toBe(200)
    fixture.emulator.quotas.set(false)
  })
})

it('injects named faults in the form of chat', async () => {
  const alice = await fixture.createPerson()
  fixture.emulator.faults.add({ status: 503, count: 1 })
  const id = await createThread(alice)
  fixture.emulator.faults.add({ operation: 'sendChatMessage', status: 429, retryAfterSeconds: 1, count: 1 })
  const rejected = await alice.call('POST', `/${id}/messages`, { content: 'Hello' })
  expect(rejected).toMatchObject({
    status: 429,
    headers: { 'retry-after': '1' },
    json: { CommunicationError: { Code: 'InjectedFault' } },
  })
  const { id: messageId } = await alice.client.getChatThreadClient(id).sendMessage({ content: 'Hello' })
  expect(fixture.emulator.chat.messages(id).at(-1)).toMatchObject({ id: messageId })
})

describe('strict', () => {
  it.each([
    ['', { topic: 'Lunch', title: 'Lunch' }, 'title'],
    ['', { topic: 'Lunch', participants: [{ communicationIdentifier: { rawid: '8:acs:' } }] }, 'rawid'],
  ])('POST %s %j is rejected', async (target, body, name) => {
    const alice = await strict.createPerson()
    expect((await alice.call('POST', target, body)).status).toBe(400)
    expect(strict.emulator.requests.list().at(-1)!.explanation).toMatchObject({
      message: `The member ${name} is unknown to this api-version.`,
    })
  })

  it('accepts what the SDK sends', async () => {
    const alice = await strict.createPerson()
    const { chatThread } = await alice.client.createChatThread(
      { topic: 'Lunch' },
      { participants: [{ id: { communicationUserId: alice.id }, displayName: 'Alice' }] },
    )
    const thread = alice.client.getChatThreadClient(chatThread!.id)
    const { id } = await thread.sendMessage({ content: 'Hello' }, { metadata: { a: 'b' } })
    await thread.updateMessage(id, { content: 'Bye' })
    await thread.removeParticipant({ communicationUserId: alice.id })
    expect(strict.emulator.chat.threads()).toMatchObject([{ topic: 'Lunch', participants: [] }])
  })
})

import { describe, expect, it } from 'vitest'
import { useAssignedUsers } from './assigned-users.ts'
import { useChat, type ChatPerson } from './chat-fixture.ts'
import { wellKnownPublicClientId } from '../src/index.ts'
import { exchange } from './signed-request.ts'

const fixture = useChat({ resources: [{ name: 'contoso' }] })
const users = useAssignedUsers(fixture)

const forbidden = {
  status: 403,
  json: {
    CommunicationError: {
      Code: 'Forbidden',
      Message: "The initiator doesn't have the permission to perform the requested operation.",
      Details: [],
    },
  },
}

const all = ['chat', 'chat.join', 'chat.join.limited']
type Operation = readonly [name: string, method: string, target: string, body: unknown, scopes: readonly string[]]

/** A request for each operation, with the scopes that permit it. */
const operations: readonly Operation[] = [
  ['createChatThread', 'POST', '', { topic: 'Lunch' }, ['chat']],
  ['listChatThreads', 'GET', '', undefined, all],
  ['getChatThreadProperties', 'GET', '/$thread', undefined, all],
  ['updateChatThreadProperties', 'PATCH', '/$thread', { topic: 'Dinner' }, ['chat']],
  ['listChatMessages', 'GET', '/$thread/messages', undefined, all],
  ['sendChatMessage', 'POST', '/$thread/messages', { content: 'Hello' }, all],
  ['getChatMessage', 'GET', '/$thread/messages/$message', undefined, all],
  ['updateChatMessage', 'PATCH', '/$thread/messages/$message', { content: 'Bye' }, all],
  ['deleteChatMessage', 'DELETE', '/$thread/messages/$message', undefined, all],
  ['listChatParticipants', 'GET', '/$thread/participants', undefined, all],
  ['addChatParticipants', 'POST', '/$thread/participants/:add', { participants: [] }, ['chat', 'chat.join']],
  ['listChatReadReceipts', 'GET', '/$thread/readReceipts', undefined, all],
  ['sendChatReadReceipt', 'POST', '/$thread/readReceipts', { chatMessageId: '$message' }, all],
  ['sendTypingNotification', 'POST', '/$thread/typing', {}, all],
  ['removeChatParticipant', 'POST', '/$thread/participants/:remove', { rawId: '$user' }, ['chat', 'chat.join']],
  ['deleteChatThread', 'DELETE', '/$thread', undefined, ['chat']],
]

/** Creates a thread of a user, with one message of the same user. */
function createThread({ id }: { id: string }) {
  const { chat } = fixture.emulator
  const thread = chat.createThread({ topic: 'Lunch', createdBy: id })
  const message = chat.sendMessage({ threadId: thread.id, communicationUserId: id, content: 'Hello' })
  return { thread: thread.id, message: message.id }
}

function perform(
  person: ChatPerson,
  [, method, target, body]: Operation,
  { thread, message, user }: { thread: string; message: string; user: string },
) {
  const fill = (text: string) =>
    text.replaceAll('$thread', thread).replaceAll('$message', message).replaceAll('$user', user)
  return person.call(method, fill(target), body && JSON.parse(fill(JSON.stringify(body))))
}

describe('scopes', () => {
  it.each(operations)('%s', async (...operation) => {
    const [name, , , , permitted] = operation
    const statuses: Record<string, number> = {}
    for (const scope of [...all, 'voip']) {
      const person = await fixture.createPerson([scope])
      const response = await perform(person, operation, { ...createThread(person), user: person.id })
      statuses[scope] = response.status
      if (!permitted.includes(scope)) expect(response).toMatchObject(forbidden)
      const logged = fixture.emulator.requests.list().at(-1)!
      expect(logged).toMatchObject({ operation: name, communicationUserId: person.id, status: response.status })
      if (response.status === 403) expect(logged.explanation).toMatchObject({ code: 'ScopeMissing' })
    }
    const rejected = Object.keys(statuses).filter((scope) => statuses[scope] === 403)
    expect(rejected).toEqual([...all, 'voip'].filter((scope) => !permitted.includes(scope)))
    expect(Object.values(statuses).every((status) => status < 300 || status === 403)).toBe(true)
  })
})

describe('membership', () => {
  const ofThread = operations.filter(([, , target]) => target.startsWith('/$thread'))

  it.each(ofThread)('%s is for participants', async (...operation) => {
    const alice = await fixture.createPerson()
    const mallory = await fixture.createPerson()
    const target = { ...createThread(alice), user: alice.id }
    expect(await perform(mallory, operation, target)).toMatchObject(forbidden)
    const { explanation } = fixture.emulator.requests.list().at(-1)!
    expect(explanation).toMatchObject({ code: 'NotParticipant' })
  })

  it('ends with the removal, also by leaving', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const { thread } = createThread(alice)
    await alice.call('POST', `/${thread}/participants/:add`, { participants: fixture.toParticipants(bob) })
    expect((await bob.call('GET', `/${thread}`)).status).toBe(200)
    await bob.call('POST', `/${thread}/participants/:remove`, { rawId: bob.id })
    expect(await bob.call('GET', `/${thread}`)).toMatchObject(forbidden)
    expect(await bob.call('GET', `/${thread}/messages`)).toMatchObject(forbidden)
    // As in the service, it stays in the list.
    expect((await bob.call('GET', '')).json.value).toMatchObject([{ id: thread }])
    await alice.call('POST', `/${thread}/participants/:add`, { participants: fixture.toParticipants(bob) })
    expect((await bob.call('GET', `/${thread}`)).status).toBe(200)
  })

  it.each(['PATCH', 'DELETE'])('%s of a message is for its sender', async (method) => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const { thread, message } = createThread(alice)
    fixture.emulator.chat.addParticipants({
      threadId: thread,
      communicationUserId: alice.id,
      participants: [{ communicationUserId: bob.id }],
    })
    const body = method === 'PATCH' ? { content: 'Mine' } : undefined
    expect(await bob.call(method, `/${thread}/messages/${message}`, body)).toMatchObject(forbidden)
    const system = fixture.emulator.chat.messages(thread)[0]!
    expect(await alice.call(method, `/${thread}/messages/${system.id}`, body)).toMatchObject(forbidden)
    expect(fixture.emulator.chat.messages(thread)[2]!.content).toEqual({ message: 'Hello' })
  })
})

describe('tokens', () => {
  const list = (token: string | undefined, endpoint = fixture.emulator.endpoint) =>
    exchange(endpoint, {
      target: '/chat/threads?api-version=2025-03-15',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    })
  const unauthorized = { status: 401, text: '' }

  it('are required, and belong to one resource', async () => {
    const { token } = await fixture.createPerson()
    expect((await list(token)).status).toBe(200)
    expect(await list(undefined)).toMatchObject(unauthorized)
    expect(await list('invalid')).toMatchObject(unauthorized)
    expect(await list(token, fixture.emulator.resources[1]!.endpoint)).toMatchObject(unauthorized)
    expect(fixture.emulator.requests.list().at(-1)!.explanation).toMatchObject({ code: 'TokenOfAnotherResource' })
  })

  it('are rejected once expired, revoked or deleted', async () => {
    const [expired, revoked, deleted] = [
      await fixture.createPerson(),
      await fixture.createPerson(),
      await fixture.createPerson(),
    ]
    await fixture.call({ target: `/identities/${revoked.id}/:revokeAccessTokens?api-version=2023-10-01` })
    await fixture.call({ method: 'DELETE', target: `/identities/${deleted.id}?api-version=2023-10-01` })
    expect(await list(revoked.token)).toMatchObject(unauthorized)
    expect(await list(deleted.token)).toMatchObject(unauthorized)
    fixture.emulator.clock.advance(24 * 60 * 60_000)
    expect(await list(expired.token)).toMatchObject(unauthorized)
    const { chat } = fixture.emulator
    expect(chat.threads()).toEqual([])
  })

  it('of Teams users are rejected with the reason', async () => {
    const { emulator } = fixture
    const { accessToken: token, oid: userId } = await emulator.entra.signIn({
      user: 'alice',
      audience: 'https://auth.msft.communication.azure.com',
      scopes: ['Teams.ManageChats'],
    })
    const { json } = await fixture.call({
      target: '/teamsUser/:exchangeAccessToken?api-version=2023-10-01',
      body: { token, appId: wellKnownPublicClientId, userId },
    })
    expect((await list(json.token)).status).toBe(403)
    expect(emulator.requests.list().at(-1)!.explanation).toMatchObject({ code: 'TeamsUser' })
  })

  it('of Entra ID users are accepted, and these users can be added', async () => {
    await users.assign('entra')
    const { json } = await users.exchangeToken('entra', { scopes: ['Chat'] })
    const { token } = json.accessToken
    const id = fixture.emulator.introspect(token as string).communicationUserId!
    const { chat } = fixture.emulator
    chat.createThread({ topic: 'Lunch', createdBy: id })
    const bob = await fixture.createPerson()
    const { thread } = createThread(bob)
    const added = await bob.call('POST', `/${thread}/participants/:add`, {
      participants: fixture.toParticipants({ id }),
    })
    expect(added.json).toEqual({})
    expect((await list(token as string)).json.value).toHaveLength(2)
  })

  it('do not reach the threads of another resource', async () => {
    const alice = await fixture.createPerson()
    const { thread } = createThread(alice)
    const [, contoso] = fixture.emulator.resources
    const other = await fixture.createPerson(['chat'], contoso)
    expect((await other.call('GET', `/${thread}`)).status).toBe(404)
    const invited = await alice.call('POST', `/${thread}/participants/:add`, {
      participants: fixture.toParticipants(other),
    })
    expect(invited.json.invalidParticipants).toMatchObject([{ code: '403', target: other.id }])
  })
})

import { describe, expect, it } from 'vitest'
import { useChat, type ChatPerson } from './chat-fixture.ts'
import { exchange } from './signed-request.ts'

const fixture = useChat()
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const versions = ['2021-03-07', '2021-04-05-preview6', '2021-09-07', '2023-11-07', '2024-03-07', '2025-03-15'] as const

async function createThread(person: ChatPerson, ...others: ChatPerson[]) {
  const body = { topic: 'Lunch', participants: fixture.toParticipants(...others) }
  const response = await person.call('POST', '', body)
  return { response, id: response.json.chatThread.id as string }
}

/** Returns a body that adds a user, whose shared history starts at a time. */
function addSince(shareHistoryTime: string) {
  return { participants: [{ communicationIdentifier: { rawId: `8:orgid:${'0'.repeat(8)}` }, shareHistoryTime }] }
}

const toIdentifier = ({ id }: ChatPerson) => ({ rawId: id, communicationUser: { id } })

describe('threads', () => {
  it('are created with two system messages, and have the recorded forms', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const { response, id } = await createThread(alice, bob)
    const { host } = new URL(fixture.emulator.endpoint)
    expect(id).toMatch(/^19:acsV2_[\w-]{43}1@thread\.v2$/)
    expect(response).toMatchObject({
      status: 201,
      headers: {
        location: `https://${host}/chat/threads/19%3A${id.slice(3)}`,
        'content-type': 'application/json; charset=utf-8',
        'api-supported-versions': versions.join(', '),
      },
    })
    expect(response.headers['x-ms-client-request-id']).toBeUndefined()
    expect(response.json).toEqual({
      chatThread: {
        id,
        topic: 'Lunch',
        createdOn: expect.stringMatching(time),
        createdByCommunicationIdentifier: toIdentifier(alice),
      },
    })
    expect((await alice.call('GET', '')).json).toEqual({
      value: [{ id, topic: 'Lunch' }],
    })
    expect((await bob.call('GET', `/${id}`)).json).toEqual(response.json.chatThread)
    const { value } = (await bob.call('GET', `/${id}/messages`)).json
    expect(value).toEqual([
      {
        id: value[0].id,
        type: 'topicUpdated',
        sequenceId: '2',
        version: value[0].id,
        content: { topic: 'Lunch', initiatorCommunicationIdentifier: toIdentifier(alice) },
        createdOn: expect.stringMatching(time),
      },
      {
        id: value[1].id,
        type: 'participantAdded',
        sequenceId: '1',
        version: value[1].id,
        content: {
          participants: [alice, bob].map((person) => ({
            communicationIdentifier: toIdentifier(person),
            shareHistoryTime: '1970-01-01T00:00:00Z',
          })),
          initiatorCommunicationIdentifier: toIdentifier(alice),
        },
        createdOn: expect.stringMatching(time),
      },
    ])
    expect(value[0].id).toMatch(/^\d{13}$/)
  })

  it('are created once for a repeatability id of a user', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const options = { headers: { 'repeatability-request-id': '3b241101-e2bb-4255-8caf-4136c566a962' } }
    const first = await alice.call('POST', '', { topic: 'One' }, options)
    const second = await alice.call('POST', '', { topic: 'Two' }, options)
    expect({ status: second.status, body: second.json }).toEqual({ status: 201, body: first.json })
    const other = await bob.call('POST', '', { topic: 'Two' }, options)
    expect(other.json.chatThread.topic).toBe('Two')
    expect(fixture.emulator.chat.threads()).toHaveLength(2)
    const empty = { headers: { 'repeatability-request-id': '' } }
    for (const topic of ['Three', 'Four']) {
      expect((await alice.call('POST', '', { topic }, empty)).json.chatThread.topic).toBe(topic)
    }
  })

  it('merge metadata, and have a retention', async () => {
    const alice = await fixture.createPerson()
    const retentionPolicy = { kind: 'threadCreationDate', deleteThreadAfterDays: 30 }
    const metadata = { color: 'red', size: 'small' }
    const created = await alice.call('POST', '', { topic: 'Lunch', metadata, retentionPolicy })
    expect(created.json.chatThread).toMatchObject({ metadata, retentionPolicy })
    const { id } = created.json.chatThread
    const patch = (body: unknown) =>
      alice.call('PATCH', `/${id}`, body, { headers: { 'content-type': 'application/merge-patch+json' } })
    expect(await patch({ metadata: { size: 'large', shape: 'round' } })).toMatchObject({ status: 204, text: '' })
    expect((await alice.call('GET', `/${id}`)).json).toMatchObject({
      metadata: { color: 'red', size: 'large', shape: 'round' },
      retentionPolicy,
    })
    await patch({ metadata: { color: null }, retentionPolicy: { kind: 'none' } })
    const { metadata: after, ...rest } = (await alice.call('GET', `/${id}`)).json
    expect(after).toEqual({ size: 'large', shape: 'round' })
    expect(rest).not.toHaveProperty('retentionPolicy')
    // Only a new topic is a message.
    expect(fixture.emulator.chat.messages(id)).toHaveLength(2)
  })

  it('are listed after their deletion, but cannot be read', async () => {
    const alice = await fixture.createPerson()
    const options = { headers: { 'repeatability-request-id': '3b241101-e2bb-4255-8caf-4136c566a962' } }
    const create = async () => (await alice.call('POST', '', { topic: 'Lunch' }, options)).json.chatThread.id as string
    const id = await create()
    expect((await alice.call('POST', `/${id}/messages`, { content: 'Hello' })).status).toBe(201)
    expect((await alice.call('DELETE', `/${id}`)).status).toBe(204)
    for (const target of [`/${id}`, `/${id}/messages`]) expect((await alice.call('GET', target)).status).toBe(404)
    const stranger = await fixture.createPerson()
    expect((await stranger.call('DELETE', `/${id}`)).status).toBe(403)
    // Another deletion is accepted, without an event.
    expect(await alice.call('DELETE', `/${id}`)).toMatchObject({ status: 204, text: '' })
    const { chat } = fixture.emulator
    const event = { name: 'chatThreadDeleted', threadId: id, timeoutMs: 0 } as const
    const { index } = (await chat.waitForEvent({ ...event, after: 0 }))!
    expect(await chat.waitForEvent({ ...event, after: index })).toBeUndefined()
    const { value } = (await alice.call('GET', '')).json
    expect(value).toEqual([
      {
        id,
        topic: 'Lunch',
        deletedOn: expect.stringMatching(time),
        lastMessageReceivedOn: expect.stringMatching(time),
      },
    ])
    expect(await create()).not.toBe(id)
  })

  it('are found by escaped and plain ids, and with two leading slashes', async () => {
    const alice = await fixture.createPerson()
    const { id } = await createThread(alice)
    expect((await alice.call('GET', `/${encodeURIComponent(id)}`)).status).toBe(200)
    const { endpoint } = fixture.emulator
    const doubled = await exchange(endpoint, {
      target: `//chat/threads/${encodeURIComponent(id)}/messages?maxPageSize=1&api-version=2025-03-15`,
      headers: { authorization: `Bearer ${alice.token}` },
    })
    expect(doubled.json.nextLink).toContain(`${endpoint}chat/threads/${id}/messages?`)
  })
})

describe('messages', () => {
  it('have increasing ids and sequence numbers, and a new version after a change', async () => {
    const alice = await fixture.createPerson()
    const { id: thread } = await createThread(alice)
    const { host } = new URL(fixture.emulator.endpoint)
    // Even in one millisecond, and after the clock moved back.
    const sent: string[] = []
    for (let n = 0; n < 3; n++) {
      const { status, json, headers } = await alice.call('POST', `/${thread}/messages`, { content: `${n}` })
      expect({ status, keys: Object.keys(json) }).toEqual({ status: 201, keys: ['id'] })
      expect(headers['location']).toBe(`https://${host}/chat/threads/${thread.replace(':', '%3A')}/messages/${json.id}`)
      sent.push(json.id as string)
      fixture.emulator.clock.advance(-1000)
    }
    expect(sent.map(Number)).toEqual(sent.map(Number).toSorted((a, b) => a - b))
    expect(new Set(sent).size).toBe(3)

    const target = `/${thread}/messages/${sent[0]}`
    const before = (await alice.call('GET', target)).json
    expect(before).toEqual({
      id: sent[0],
      type: 'text',
      sequenceId: '3',
      version: sent[0],
      content: { message: '0', attachments: [] },
      senderDisplayName: '',
      createdOn: expect.stringMatching(time),
      senderCommunicationIdentifier: toIdentifier(alice),
    })
    expect(await alice.call('PATCH', target, { content: 'zero', metadata: { a: 'b' } })).toMatchObject({ status: 204 })
    const edited = (await alice.call('GET', target)).json
    expect(edited).toMatchObject({ content: { message: 'zero' }, metadata: { a: 'b' }, sequenceId: '3' })
    expect(edited.editedOn).toMatch(time)
    expect(Number(edited.version)).toBeGreaterThan(Number(sent[2]))

    expect(await alice.call('DELETE', target)).toMatchObject({ status: 204, text: '' })
    const deleted = (await alice.call('GET', target)).json
    expect(deleted).toMatchObject({ content: {}, deletedOn: expect.stringMatching(time) })
    expect(Number(deleted.version)).toBeGreaterThan(Number(edited.version))
    expect((await alice.call('PATCH', target, { content: 'again' })).status).toBe(404)
    expect((await alice.call('DELETE', target)).status).toBe(204)
  })

  it('merge metadata, where an empty value removes a key', async () => {
    const alice = await fixture.createPerson()
    const { id: thread } = await createThread(alice)
    const metadata = { tags: 'a', mode: 'b', key: 'c' }
    const { json } = await alice.call('POST', `/${thread}/messages`, { content: 'Hello', metadata })
    const target = `/${thread}/messages/${json.id}`
    await alice.call('PATCH', target, { metadata: { tags: '', mode: 'd' } })
    expect((await alice.call('GET', target)).json.metadata).toEqual({ mode: 'd', key: 'c' })
  })

  it('are listed in pages, with a link that clients follow unchanged', async () => {
    const alice = await fixture.createPerson()
    const { id } = await createThread(alice)
    for (const content of ['a', '', 'c']) await alice.call('POST', `/${id}/messages`, { content })
    const { host } = new URL(fixture.emulator.endpoint)
    const first = (await alice.call('GET', `/${id}/messages?maxPageSize=3`, undefined, { version: '2021-09-07' })).json
    const syncState = /syncState=([\da-f]+)&/.exec(first.nextLink)![1]
    expect(first.nextLink).toBe(
      `https://${host}/chat/threads/${id}/messages?syncState=${syncState}&startTime=1%2F1%2F1970%2012%3A00%3A00%20AM%20%2B00%3A00&maxPageSize=3&api-version=2021-09-07`,
    )
    // Messages that come in between do not move the next page.
    await alice.call('POST', `/${id}/messages`, { content: 'd' })
    const second = await exchange(fixture.emulator.endpoint, {
      target: first.nextLink.slice(`https://${host}`.length),
      headers: { authorization: `Bearer ${alice.token}` },
    })
    const sequence = (value: { sequenceId: string }[]) => value.map(({ sequenceId }) => sequenceId)
    expect(sequence(first.value)).toEqual(['5', '4', '3'])
    expect(first.value[1].content).toEqual({ message: '' })
    expect(sequence(second.json.value)).toEqual(['2', '1'])
    expect(second.json).not.toHaveProperty('nextLink')
  })

  it('are listed since a time', async () => {
    const alice = await fixture.createPerson()
    const { id } = await createThread(alice)
    fixture.emulator.clock.advance(60_000)
    const start = new Date(fixture.emulator.clock.now()).toISOString()
    await alice.call('POST', `/${id}/messages`, { content: 'late' })
    const since = `startTime=${encodeURIComponent(start)}`
    const { value, nextLink } = (await alice.call('GET', `/${id}/messages?${since}`)).json
    expect(value.map((message: { content: unknown }) => message.content)).toMatchObject([{ message: 'late' }])
    expect(nextLink).toBeUndefined()
    expect((await alice.call('GET', `?${since}`)).json.value).toMatchObject([
      { id, lastMessageReceivedOn: expect.stringMatching(time) },
    ])
    fixture.emulator.clock.advance(60_000)
    const later = encodeURIComponent(new Date(fixture.emulator.clock.now()).toISOString())
    expect((await alice.call('GET', `?startTime=${later}`)).json.value).toEqual([])
  })
})

describe('participants', () => {
  it('are added, listed in pages, and removed', async () => {
    const alice = await fixture.createPerson()
    const [bob, carol] = [await fixture.createPerson(), await fixture.createPerson()]
    const { id } = await createThread(alice)
    const [first, second] = fixture.toParticipants(bob, carol)
    const participants = [{ ...first, displayName: 'Bob', metadata: { role: 'guest' } }, second]
    const added = await alice.call('POST', `/${id}/participants/:add`, { participants })
    expect({ status: added.status, text: added.text }).toEqual({ status: 201, text: '{}' })
    // A user who is added again is not announced again.
    await alice.call('POST', `/${id}/participants/:add`, { participants: [second] })

    const page = (await alice.call('GET', `/${id}/participants?maxPageSize=2`)).json
    expect(page.value).toEqual([
      { communicationIdentifier: toIdentifier(alice), shareHistoryTime: '1970-01-01T00:00:00Z' },
      { ...participants[0], shareHistoryTime: '1970-01-01T00:00:00Z' },
    ])
    expect(page.nextLink).toContain('?skip=2&maxPageSize=2&api-version=2025-03-15')
    const rest = await alice.call('GET', `/${id}/participants?skip=2`)
    expect(rest.json.value).toMatchObject([second])

    const removed = await alice.call('POST', `/${id}/participants/:remove`, toIdentifier(bob))
    expect({ status: removed.status, text: removed.text }).toEqual({ status: 204, text: '' })
    const types = fixture.emulator.chat.messages(id).map(({ type }) => type)
    expect(types).toEqual(['participantAdded', 'topicUpdated', 'participantAdded', 'participantRemoved'])
    expect((await alice.call('POST', `/${id}/participants/:remove`, toIdentifier(bob))).status).toBe(404)
  })

  it('have ids in lower case, whatever the request has', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const upper = { id: `8:acs:${bob.id.slice('8:acs:'.length).toUpperCase()}` }
    const { json } = await alice.call('POST', '', { topic: 'Lunch', participants: fixture.toParticipants(upper) })
    const { id } = json.chatThread
    const { value } = (await bob.call('GET', `/${id}/participants`)).json
    expect(value[1].communicationIdentifier).toEqual(toIdentifier(bob))
    expect((await alice.call('POST', `/${id}/participants/:remove`, { rawId: upper.id })).status).toBe(204)
  })

  it('see messages from the time on from which the history is shared', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const { id } = await createThread(alice)
    const early = (await alice.call('POST', `/${id}/messages`, { content: 'early' })).json.id as string
    fixture.emulator.clock.advance(60_000)
    const shareHistoryTime = new Date(fixture.emulator.clock.now()).toISOString()
    const participants = [{ ...fixture.toParticipants(bob)[0], shareHistoryTime }]
    await alice.call('POST', `/${id}/participants/:add`, { participants })
    await alice.call('POST', `/${id}/messages`, { content: 'late' })
    const { value } = (await bob.call('GET', `/${id}/messages`)).json
    expect(value.map(({ sequenceId }: { sequenceId: string }) => sequenceId)).toEqual(['5', '4'])
    expect((await bob.call('GET', `/${id}/messages/${early}`)).status).toBe(404)
    expect((await alice.call('GET', `/${id}/messages`)).json.value).toHaveLength(5)
  })

  it('that cannot be added are returned, and the others are added', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const unknown = bob.id.replace(/-[\da-f]{12}$/, '-ffffffffffff')
    const teams = { microsoftTeamsUser: { userId: '1e5c5a3c-7c3a-4a5e-9d3e-1c2b3a4d5e6f' } }
    const participants = [...fixture.toParticipants(bob, { id: unknown }), { communicationIdentifier: teams }]
    const { status, json } = await alice.call('POST', '', { topic: 'Lunch', participants })
    expect({ status, invalid: json.invalidParticipants }).toEqual({
      status: 201,
      invalid: [
        { code: '404', message: expect.any(String), target: unknown },
        {
          code: '403',
          message: expect.stringMatching(/^Permissions check failed/),
          target: `8:orgid:${teams.microsoftTeamsUser.userId}`,
        },
      ],
    })
    expect(fixture.emulator.chat.threads()[0]!.participants.map((each) => each.communicationUserId)).toEqual([
      alice.id,
      bob.id,
    ])
  })

  it.each([
    [{ communicationUser: { id: '8:acs:invalidUserId' } }, 'Identifier format is invalid (8:acs:invalidUserId).'],
    [{ phoneNumber: { value: '+14255550123' } }, 'Identifier format is not supported (4:+14255550123).'],
    [{ rawId: '28:orgid:bot' }, 'Identifier format is not supported (28:orgid:bot).'],
  ])('reject the identifier %j', async (communicationIdentifier, message) => {
    const alice = await fixture.createPerson()
    const body = { topic: 'Lunch', participants: [{ communicationIdentifier }] }
    const { status, json } = await alice.call('POST', '', body)
    expect({ status, json }).toEqual({
      status: 400,
      json: { CommunicationError: { Code: 'BadRequest', Message: message, Details: [] } },
    })
  })
})

describe('receipts and typing', () => {
  it('have empty responses, and one receipt per reader', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const { id } = await createThread(alice, bob)
    const send = async () => (await alice.call('POST', `/${id}/messages`, { content: 'Hello' })).json.id as string
    const [first, second] = [await send(), await send()]
    const read = (chatMessageId: string) => bob.call('POST', `/${id}/readReceipts`, { chatMessageId })
    for (const response of [
      await read(first),
      await read(second),
      await read(first),
      await bob.call('POST', `/${id}/typing`),
    ]) {
      expect(response).toMatchObject({ status: 200, text: '', headers: { 'content-length': '0' } })
      expect(response.headers['content-type']).toBeUndefined()
    }
    expect((await alice.call('GET', `/${id}/readReceipts`)).json).toEqual({
      value: [
        {
          senderCommunicationIdentifier: toIdentifier(bob),
          chatMessageId: second,
          readOn: expect.stringMatching(time),
        },
      ],
    })
  })
})

describe('api-versions', () => {
  it.each(versions)('%s has its members only', async (version) => {
    const alice = await fixture.createPerson()
    const call = async (method: string, target: string, body?: unknown) =>
      (await alice.call(method, target, body, { version })).json
    const metadata = { a: 'b' }
    const retentionPolicy = { kind: 'threadCreationDate', deleteThreadAfterDays: 30 }
    const participants = [{ ...fixture.toParticipants(alice)[0], metadata }]
    const { chatThread } = await call('POST', '', { topic: 'Lunch', metadata, retentionPolicy, participants })
    const { id } = await call('POST', `/${chatThread.id}/messages`, { content: 'Hello', metadata })
    const message = await call('GET', `/${chatThread.id}/messages/${id}`)
    const listed = await call('GET', `/${chatThread.id}/participants`)
    expect({
      attachments: message.content.attachments ?? null,
      thread: chatThread.metadata ?? null,
      retention: chatThread.retentionPolicy ?? null,
      participant: listed.value[0].metadata ?? null,
      message: message.metadata ?? null,
    }).toEqual({
      attachments: version < '2023-11-07' ? null : [],
      thread: version === '2025-03-15' ? metadata : null,
      retention: version === '2025-03-15' ? retentionPolicy : null,
      participant: version === '2025-03-15' ? metadata : null,
      message: version === '2021-03-07' ? null : metadata,
    })
    // Nothing that a later version knows is sent to an earlier one.
    if (version !== '2025-03-15') return
    const old = await alice.call('GET', `/${chatThread.id}`, undefined, { version: '2024-03-07' })
    expect(Object.keys(old.json)).toEqual(['id', 'topic', 'createdOn', 'createdByCommunicationIdentifier'])
  })

  it.each([
    ['2020-09-21-preview2', 'UnsupportedApiVersion'],
    ['', 'ApiVersionUnspecified'],
  ])('%j is rejected', async (version, code) => {
    const alice = await fixture.createPerson()
    const { status, json } = await alice.call('GET', '', undefined, { version })
    expect({ status, code: json.CommunicationError.Code }).toEqual({ status: 400, code })
  })
})

describe('errors', () => {
  it('have the form of the service, in lines that end in CRLF', async () => {
    const alice = await fixture.createPerson()
    const unknown = `19:${'a'.repeat(43)}1@thread.v2`
    const { status, text, headers } = await alice.call('GET', `/${unknown}`)
    expect(status).toBe(404)
    expect(text).toBe(
      '{\r\n  "CommunicationError": {\r\n    "Code": "NotFound",\r\n    "Message": "The specified thread id was not found.",\r\n    "Details": []\r\n  }\r\n}',
    )
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'transfer-encoding': 'chunked' })
    expect(headers['api-supported-versions']).toBe(versions.join(', '))
  })

  it('omit the message for a malformed thread id', async () => {
    const alice = await fixture.createPerson()
    const { status, json } = await alice.call('DELETE', '/invalid_chat_thread_id')
    expect({ status, json }).toEqual({ status: 400, json: { CommunicationError: { Code: 'BadRequest', Details: [] } } })
  })

  it.each([
    ['POST', '', {}, 400, 'topic'],
    ['POST', '', { topic: '' }, 400, 'topic'],
    ['POST', '', { topic: 1 }, 400, 'topic'],
    ['POST', '', { topic: 'a', participants: {} }, 400, 'participants'],
    ['POST', '', { topic: 'a', participants: [{}] }, 400, 'communicationIdentifier'],
    ['POST', '', { topic: 'a', metadata: { b: 1 } }, 400, 'metadata'],
    ['POST', '', { topic: 'a', retentionPolicy: { kind: 'unknown' } }, 400, 'kind'],
    ['PATCH', '/$thread', { topic: '' }, 400, 'topic'],
    ['POST', '/$thread/messages', {}, 400, 'content'],
    ['POST', '/$thread/messages', { content: 'a', type: 'topicUpdated' }, 400, 'type'],
    ['POST', '/$thread/messages', [], 400, 'JSON object'],
    ['GET', '/$thread/messages/first', undefined, 400, 'message id'],
    ['GET', '/$thread/messages/1', undefined, 404, 'message id'],
    ['GET', '/$thread/messages?maxPageSize=0', undefined, 400, 'maxPageSize'],
    ['GET', '/$thread/messages?startTime=soon', undefined, 400, 'startTime'],
    ['GET', '/$thread/messages?startTime=2026-11-27T00:00:00', undefined, 400, 'startTime'],
    ['POST', '/$thread/participants/:add', addSince('2026'), 400, 'shareHistoryTime'],
    ['POST', '/$thread/participants/:add', addSince('+275760-09-13T00:00:00Z'), 400, 'shareHistoryTime'],
    ['POST', '/$thread/participants/:add', addSince('2026-13-01T00:00:00Z'), 400, 'shareHistoryTime'],
    ['GET', '/$thread/messages?syncState=00', undefined, 400, 'syncState'],
    ['GET', '/$thread/participants?skip=-1', undefined, 400, 'skip'],
    ['POST', '/$thread/readReceipts', {}, 400, 'chatMessageId'],
    ['POST', '/$thread/images', {}, 404, '/images'],
    ['PUT', '/$thread', {}, 405, 'PUT'],
  ])('%s %s with %j is rejected with %s', async (method, target, body, status, words) => {
    const alice = await fixture.createPerson()
    const { id } = await createThread(alice)
    const response = await alice.call(method, target.replace('$thread', id), body)
    expect(response.status).toBe(status)
    const { Message } = response.json.CommunicationError
    const explanation = fixture.emulator.requests.list().at(-1)!.explanation?.['message']
    if (status === 400) expect(Message).toBeUndefined()
    expect(Message ?? explanation).toContain(words)
  })

  it('reject a body of another type', async () => {
    const alice = await fixture.createPerson()
    const response = await alice.call('POST', '', { topic: 'a' }, { headers: { 'content-type': 'text/plain' } })
    expect(response.status).toBe(415)
  })
})

it('responds to preflights, and permits pages of any origin to read responses and Location', async () => {
  const alice = await fixture.createPerson()
  const requested = 'authorization,content-type,repeatability-request-id,x-ms-client-request-id,x-ms-useragent'
  const origin = { origin: 'http://localhost:9876' }
  const preflight = await exchange(fixture.emulator.endpoint, {
    method: 'OPTIONS',
    target: '/chat/threads?api-version=2025-03-15',
    headers: {
      ...origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': requested,
    },
  })
  expect(preflight).toMatchObject({
    status: 204,
    headers: { 'access-control-allow-origin': '*', 'access-control-allow-headers': requested },
  })
  expect(preflight.headers['access-control-allow-methods']).toContain('PATCH')
  const exposed = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Location' }
  const created = await alice.call('POST', '', { topic: 'Lunch' }, { headers: origin })
  expect(created.headers).toMatchObject(exposed)
  const { id } = created.json.chatThread
  expect((await alice.call('DELETE', `/${id}`, undefined, { headers: origin })).headers).toMatchObject(exposed)
  expect((await alice.call('GET', `/${id}`, undefined, { headers: origin })).headers).toMatchObject(exposed)
})

it('returns the id of a request only if the client requests it', async () => {
  const alice = await fixture.createPerson()
  const list = (headers: Record<string, string>) =>
    alice.call('GET', '', undefined, { headers: { 'x-ms-client-request-id': 'one', ...headers } })
  expect((await list({})).headers['x-ms-client-request-id']).toBeUndefined()
  const { headers } = await list({ 'x-ms-return-client-request-id': 'true' })
  expect(headers['x-ms-client-request-id']).toBe('one')
})

it('builds addresses from the Host header', async () => {
  const alice = await fixture.createPerson()
  const { headers } = await alice.call('POST', '', { topic: 'Lunch' }, { headers: { host: '127.0.0.1:8443' } })
  expect(headers['location']).toMatch(/^https:\/\/127\.0\.0\.1:8443\/chat\/threads\/19%3A/)
})

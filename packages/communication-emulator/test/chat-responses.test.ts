import { describe, expect, it } from 'vitest'
import { useChat } from './chat-fixture.ts'
import { exchange } from './signed-request.ts'

const fixture = useChat()
const versions = ['2021-03-07', '2021-04-05-preview6', '2021-09-07', '2023-11-07', '2024-03-07', '2025-03-15'] as const

/** Returns a body that adds a user, whose shared history starts at a time. */
function addSince(shareHistoryTime: string) {
  return { participants: [{ communicationIdentifier: { rawId: `8:orgid:${'0'.repeat(8)}` }, shareHistoryTime }] }
}

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
    const { id } = await fixture.createThread(alice)
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

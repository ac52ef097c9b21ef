import * as fc from 'fast-check'
import { latin1Header, methods, mostlyUsual, visibleText } from '../fuzz/arbitraries.ts'

const versions = ['2021-03-07', '2021-04-05-preview6', '2021-09-07', '2023-11-07', '2024-03-07', '2025-03-15']
const goodQuery = fc.constantFrom(...versions).map((version) => `?api-version=${version}`)
const pageParameter = fc.oneof(
  fc.integer({ min: -1, max: 201 }).map((size) => `maxPageSize=${size}`),
  fc.integer({ min: -1, max: 5 }).map((skip) => `skip=${skip}`),
  fc
    .constantFrom('2026-01-01T00:00:00Z', '1/1/1970 12:00:00 AM +00:00', '+275760-09-13', '', 'x')
    .map((time) => `startTime=${encodeURIComponent(time)}`),
  fc.constantFrom('maxPageSize=', 'maxPageSize=1.5', 'maxPageSize=1e9', `skip=${'9'.repeat(30)}`, 'syncState=00'),
)
const pageQuery = fc
  .tuple(goodQuery, fc.array(pageParameter, { maxLength: 2 }))
  .map(([query, parameters]) => [query, ...parameters].join('&'))
const badQuery = fc.oneof(
  fc.constantFrom('', '?', '?api-version=', '?api-version=2020-09-21-preview2', '?Api-Version=2025-03-15'),
  fc.constantFrom(...versions).map((version) => `?api-version=${version}&api-version=2021-03-07&syncState=%zz`),
  visibleText.map((text) => `?api-version=2025-03-15&syncState=${text}`),
  visibleText.map((text) => `?${text}`),
)

const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(0, -1, 1.5, 1e300, '', '\u0000', '\ud800', [], {}, [null], null, '__proto__'),
  fc.constantFrom(28 * 1024, 28 * 1024 + 1).map((length) => 'é'.repeat(length / 2)),
)
const member = <Value>(usual: fc.Arbitrary<Value>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: odd })
/** Texts of JSON objects with some of these members, and always with those required. */
function json(members: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[] = []): fc.Arbitrary<string> {
  return fc.record(members, { requiredKeys }).map((value) => JSON.stringify(value))
}

const text = fc.oneof(fc.string({ maxLength: 50 }), fc.constantFrom('100% of "x" %41 Größe & 日本', '<b>html</b>'))
const metadata = fc.oneof(
  fc.dictionary(fc.string({ maxLength: 5 }), fc.oneof(text, fc.constant(null)), { maxKeys: 3 }),
  fc.constant({ key: 'x'.repeat(1100) }),
)
const time = fc.constantFrom('2026-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '9999-12-31T23:59:59Z', 'x')

/** Replaced by the id of a user when the request is sent. */
const user = fc.constantFrom('{user0}', '{user1}', '{user2}', '{user3}')
const identifier = fc.oneof(
  { weight: 6, arbitrary: user.map((id): object => ({ rawId: id, communicationUser: { id } })) },
  { weight: 1, arbitrary: user.map((id): object => ({ communicationUser: { id }, kind: 'communicationUser' })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<object>(
      { rawId: '8:acs:invalid', communicationUser: { id: '8:acs:invalid' } },
      { rawId: '8:orgid:0000', microsoftTeamsUser: { userId: '0000' } },
      { phoneNumber: { value: '+14255550123' } },
      { microsoftTeamsApp: { appId: '28:x', cloud: 'public' } },
      {},
    ),
  },
)
const participant = fc.record(
  {
    communicationIdentifier: member(identifier),
    displayName: member(text),
    shareHistoryTime: member(time),
    metadata: member(metadata),
  },
  { requiredKeys: ['communicationIdentifier'] },
)
const participants = fc.array(participant, { maxLength: 4 })
const retention = fc.oneof(
  fc.integer({ min: 29, max: 91 }).map((days): object => ({ kind: 'threadCreationDate', deleteThreadAfterDays: days })),
  fc.constantFrom<object>({ kind: 'none' }, { kind: 'x' }, {}),
)

const createBody = json(
  {
    topic: member(text),
    participants: member(participants),
    metadata: member(metadata),
    retentionPolicy: member(retention),
  },
  ['topic'],
)
const updateBody = json({ topic: member(text), metadata: member(metadata), retentionPolicy: member(retention) })
const type = fc.constantFrom('text', 'html', 'topicUpdated')
const sendBody = json(
  { content: member(text), senderDisplayName: member(text), type: member(type), metadata: member(metadata) },
  ['content'],
)
const editBody = json({ content: member(text), metadata: member(metadata) })
const receiptBody = json({ chatMessageId: member(fc.constant('{message}')) }, ['chatMessageId'])
const typingBody = fc.oneof(fc.constant(''), json({ senderDisplayName: member(text) }))
const addBody = json({ participants: member(participants) }, ['participants'])
const removeBody = member(identifier).map((value) => JSON.stringify(value))
const empty = fc.constant('')

const thread = '/chat/threads/{thread}'
const routes = [
  { method: 'POST', path: '/chat/threads', query: goodQuery, body: createBody },
  { method: 'GET', path: '/chat/threads', query: pageQuery, body: empty },
  { method: 'GET', path: thread, query: goodQuery, body: empty },
  { method: 'PATCH', path: thread, query: goodQuery, body: updateBody },
  { method: 'POST', path: `${thread}/messages`, query: goodQuery, body: sendBody },
  { method: 'GET', path: `${thread}/messages`, query: pageQuery, body: empty },
  { method: 'GET', path: `${thread}/messages/{message}`, query: goodQuery, body: empty },
  { method: 'PATCH', path: `${thread}/messages/{message}`, query: goodQuery, body: editBody },
  { method: 'DELETE', path: `${thread}/messages/{message}`, query: goodQuery, body: empty },
  { method: 'GET', path: `${thread}/participants`, query: pageQuery, body: empty },
  { method: 'POST', path: `${thread}/participants/:add`, query: goodQuery, body: addBody },
  { method: 'POST', path: `${thread}/participants/:remove`, query: goodQuery, body: removeBody },
  { method: 'POST', path: `${thread}/readReceipts`, query: goodQuery, body: receiptBody },
  { method: 'GET', path: `${thread}/readReceipts`, query: pageQuery, body: empty },
  { method: 'POST', path: `${thread}/typing`, query: goodQuery, body: typingBody },
  { method: 'GET', path: '/chat/config/realTimeNotifications', query: goodQuery, body: empty },
  { method: 'POST', path: '/v4/a', query: fc.constant('?cor_id=x&con_num=1_0&epid=x'), body: empty },
  { method: 'GET', path: '/socket.io/1/', query: visibleText.map((query) => `?v=v4&sr=${query}`), body: empty },
  { method: 'POST', path: '/v3/registrations', query: empty, body: json({ registrationId: member(text) }) },
  { method: 'DELETE', path: '/v3/registrations/x', query: empty, body: empty },
]
/** Deletes a thread, which ends many others' requests: generated rarely. */
const deletion = { method: 'DELETE', path: thread, query: goodQuery, body: empty }

const oddBody = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json(),
  sendBody.map((value) => Buffer.from(value, 'utf16le')),
  fc.constantFrom('{"content":"x"', '{"__proto__":{"content":"x"}}', '[]', '"', 'null', '[['.repeat(5000)),
  fc.constantFrom(256 * 1024, 256 * 1024 + 1).map((length) => ' '.repeat(length)),
)
const contentTypes = fc.constantFrom('application/json', 'application/merge-patch+json')
const oddContentTypes = fc.oneof(fc.constantFrom('text/plain', 'application/xml', ''), latin1Header)
const repeatabilityIds = fc.oneof(fc.constantFrom('a', 'b', ''), latin1Header)
const origins = fc.constantFrom('http://localhost:3000', 'null', 'é')

const usual = fc
  .oneof({ weight: 40, arbitrary: fc.constantFrom(...routes) }, { weight: 1, arbitrary: fc.constant(deletion) })
  .chain(({ method, path, query, body }) =>
    fc.record({
      method: fc.constant(method),
      path: fc.constant(path),
      query,
      headers: contentTypes.map((contentType) => ({ 'content-type': contentType })),
      body,
    }),
  )

const unusual = fc.record({
  method: methods,
  path: fc.oneof(
    fc.constantFrom(...routes).map(({ path }) => path),
    fc.constantFrom(...routes).map(({ path }) => `/${path.toUpperCase().replaceAll(/\{\w+\}/g, 'x')}`),
    fc.constantFrom('/chat', '//chat/threads', '/chat/threads/', '/chat/threads/../threads', '/chat/%', '/socket.io/1'),
    fc.constantFrom('/chat/threads/19%3Ax%40thread.v2/members', `${thread}/images`, `${thread}/messages/%00`),
    fc.constantFrom('/socket.io/1/xhr-polling/x', '/socket.io/1/websocket/x', '/v4/c', '/v3/registrations/%2f'),
    visibleText.map((value) => `/chat/threads/${value}`),
    visibleText.map((value) => `${thread}/messages/${value}`),
    visibleText.map((value) => `/socket.io/1/${value}`),
  ),
  query: fc.oneof(goodQuery, badQuery),
  headers: fc
    .tuple(
      oddContentTypes,
      fc.record({ 'repeatability-request-id': repeatabilityIds, origin: origins }, { requiredKeys: [] }),
    )
    .map(([contentType, others]) => ({ ...others, 'content-type': contentType })),
  body: fc.oneof(sendBody, oddBody),
})

/** Requests without what only a running emulator determines: tokens and ids. */
export const generatedRequest = fc
  .tuple(
    mostlyUsual(usual, unusual),
    fc.record({
      /** Chooses the token, the thread and the message. */
      pick: fc.nat(),
      isIdEncoded: fc.boolean(),
      isIdUnknown: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
      token: fc.oneof(
        { weight: 12, arbitrary: fc.constant('participant' as const) },
        { weight: 2, arbitrary: fc.constantFrom('limited' as const, 'stranger' as const, 'voip' as const) },
        { weight: 1, arbitrary: fc.constantFrom('none' as const, 'malformed' as const) },
      ),
      isChunked: fc.boolean(),
    }),
  )
  .map(([parts, rest]) => ({ ...parts, ...rest }))
export type GeneratedChatRequest = typeof generatedRequest extends fc.Arbitrary<infer Request> ? Request : never

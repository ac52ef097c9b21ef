import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { latin1Header, methods, mostlyUsual, visibleText } from './arbitraries.ts'
import { invalidSignatures, validSignatures } from './signatures.ts'

const first = ['2020-07-20-preview2']
const later =
  '2021-03-07 2021-10-31-preview 2021-11-01 2022-09-01 2023-08-01 2023-10-01 2025-03-02-preview 2026-09-23'.split(' ')
const extension = ['2025-03-02-preview', '2025-06-30', '2026-07-22', '2026-09-23']
const entra = ['2025-03-02-preview']

const goodQuery = fc.constantFrom(...first, ...later).map((version) => `?api-version=${version}`)
const badQuery = fc.oneof(
  fc.constantFrom('', '?', '?api-version=', '?api-version=2023-08-30-preview', '?Api-Version=2023-10-01'),
  fc.constantFrom(...later).map((version) => `?api-version=${version}&api-version=2023-10-01`),
  fc.constantFrom(...later).map((version) => `?api-version=${version.toUpperCase()}&other=%zz`),
  visibleText.map((text) => `?api-version=${text}`),
  visibleText.map((text) => `?${text}`),
)

const scope = fc.constantFrom('chat', 'voip', 'chat.join', 'chat.join.limited', 'voip.join', 'pstn', 'Chat')
const scopes = fc.array(scope, { maxLength: 6 })
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(0, -1, 1.5, 1e300, 2 ** 31, '', '\u0000', '\ud800', [], {}, [null]),
)
const member = <Value>(usual: fc.Arbitrary<Value>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 6, arbitrary: usual }, { weight: 1, arbitrary: odd })
const minutes = fc.oneof(fc.integer({ min: 60, max: 1440 }), fc.constantFrom(59, 60, 1440, 1441, null))

/** Texts of JSON objects with some of these members, and always with those required. */
function json(members: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[] = []): fc.Arbitrary<string> {
  return fc.record(members, { requiredKeys }).map((value) => JSON.stringify(value))
}

const issueBody = json({ scopes: member(scopes), expiresInMinutes: member(minutes) }, ['scopes'])
const createBody = json({
  createTokenWithScopes: member(scopes),
  expiresInMinutes: member(minutes),
  customId: member(fc.oneof(fc.constantFrom('a', 'b'), fc.string({ maxLength: 300 }))),
})
const time = fc.oneof(
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') }).map((date) => date.toISOString()),
  fc.constantFrom('9999-12-31T23:59:59Z', '2026-01-01T00:00:00+99:99', '2026-02-31T00:00:00Z', 'now'),
)
const revokeBody = json({ tokensValidFrom: member(time) }, ['tokensValidFrom'])
const empty = fc.constant('')
const anyBody = fc.oneof({ weight: 3, arbitrary: empty }, { weight: 1, arbitrary: revokeBody })

const guid = fc.constantFrom(1, 2, 3).map((digit) => `0000000${digit}-0000-4000-8000-00000000000${digit}`)
const assignment = fc.record({
  principalType: member(fc.constantFrom('user', 'User', 'resourceAccount', 'teamsResourceAccount', 'group', 'tenant')),
  clientIds: member(fc.array(guid, { maxLength: 3 })),
  tenantId: member(guid),
})
const assignmentBody = assignment.map((value) => JSON.stringify(value))
const assignmentsBody = fc.dictionary(guid, member(assignment), { maxKeys: 3 }).map((value) => JSON.stringify(value))
const exchangeBody = fc.constantFrom('{}', '', '{"extra":1}')
const extensionAssignment = '/access/teamsExtension/tenants/{guid}/assignments/{guid}'

const routes = [
  { method: 'POST', path: '/identities', versions: [...first, ...later], body: fc.oneof(empty, createBody) },
  { method: 'GET', path: '/identities/{id}', versions: ['2025-03-02-preview'], body: anyBody },
  { method: 'DELETE', path: '/identities/{id}', versions: [...first, ...later], body: anyBody },
  { method: 'PATCH', path: '/identities/{id}', versions: first, body: anyBody },
  { method: 'POST', path: '/identities/{id}/token', versions: first, body: issueBody },
  { method: 'POST', path: '/identities/{id}/:issueAccessToken', versions: later, body: issueBody },
  { method: 'POST', path: '/identities/{id}/:revokeAccessTokens', versions: later, body: anyBody },
  { method: 'GET', path: extensionAssignment, versions: extension, body: empty },
  { method: 'PUT', path: extensionAssignment, versions: extension, body: assignmentBody },
  { method: 'DELETE', path: extensionAssignment, versions: extension, body: empty },
  { method: 'POST', path: '/access/teamsExtension/:exchangeAccessToken', versions: extension, body: exchangeBody },
  { method: 'GET', path: '/access/entra/assignments', versions: entra, body: empty },
  { method: 'PATCH', path: '/access/entra/assignments', versions: entra, body: assignmentsBody },
  { method: 'GET', path: '/access/entra/assignments/{guid}', versions: entra, body: empty },
  { method: 'PUT', path: '/access/entra/assignments/{guid}', versions: entra, body: assignmentBody },
  { method: 'DELETE', path: '/access/entra/assignments/{guid}', versions: entra, body: empty },
  { method: 'POST', path: '/access/entra/:exchangeAccessToken', versions: entra, body: exchangeBody },
]

const oddBody = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json(),
  issueBody.map((text) => Buffer.from(text, 'utf16le')),
  issueBody.map((text) => gzipSync(text)),
  issueBody.map((text) => `\ufeff${text}`),
  fc.constantFrom('{"scopes":["chat"]', '{"__proto__":{"scopes":["chat"]}}', '[]', '"', 'null', '[['.repeat(5000)),
  fc.constantFrom(256 * 1024, 256 * 1024 + 1).map((length) => ' '.repeat(length)),
)

const contentTypes = fc.constantFrom(
  'application/json',
  'application/json; charset=utf-8',
  'application/merge-patch+json',
)
const oddContentTypes = fc.oneof(
  fc.constantFrom('text/plain', 'application/xml', 'application/json,text/plain', ''),
  latin1Header,
)
const oddHeaderNames =
  'accept-encoding content-encoding content-md5 cookie date expect forwarded if-match origin range upgrade ' +
  'x-http-method-override x-ms-hmac-string-to-sign-base64'
const oddHeaders = fc.dictionary(
  fc.constantFrom(...oddHeaderNames.split(' ')),
  fc.oneof(latin1Header, fc.constantFrom('100-continue', 'gzip', '*', 'null', 'x'.repeat(20_000))),
  { maxKeys: 3 },
)

const usual = fc.constantFrom(...routes).chain(({ method, path, versions, body }) =>
  fc.record({
    method: fc.constant(method),
    path: fc.constant(path),
    query: fc.constantFrom(...versions).map((version) => `?api-version=${version}`),
    headers: contentTypes.map((type) => ({ 'content-type': type })),
    body,
  }),
)

const unusual = fc.record({
  method: methods,
  path: fc.oneof(
    fc.constantFrom(...routes).map(({ path }) => path),
    fc.constantFrom('/', '//identities', '/identities/', '///identities', '/identities/../identities', '*', '/%'),
    fc.constantFrom('/%2e', '/roles', '/identities/{id}/:unknown', '/IDENTITIES/{id}/:ISSUEACCESSTOKEN'),
    fc.constant('https://elsewhere.example/identities'),
    visibleText.map((text) => `/${text}`),
    visibleText.map((text) => `/identities/${text}`),
  ),
  query: fc.oneof(goodQuery, badQuery),
  headers: fc
    .tuple(fc.oneof(contentTypes, oddContentTypes), oddHeaders)
    .map(([type, others]) => ({ ...others, 'content-type': type })),
  body: fc.oneof(issueBody, oddBody),
})

const zeros = '00000000-0000-0000-0000-000000000000'
/** Functions that change the id of an identity that exists or existed, in ways that a number may choose. */
const changeId = fc.constantFrom<(id: string, pick: number) => string>(
  (id) => id.replace(/^.*_/, `8:acs:${zeros}_`),
  (id, pick) => id.replace(/_.*$/, `_${pick.toString(16).padStart(8, '0')}${zeros.slice(8)}`),
  (id) => id.toUpperCase(),
  (id, pick) => ['8:acs:', id.slice(6), `${id}_${id}`, `${id}0`, '8:orgid:x', '%', 'é', '0'.repeat(300)][pick % 8]!,
)
const signature = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...Object.keys(validSignatures)) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(invalidSignatures)) },
)

/** Requests without what only a running emulator determines: authentication, and the ids for `{id}` in a path. */
export const generatedRequest = fc
  .tuple(
    mostlyUsual(usual, unusual),
    fc.record({
      pick: fc.nat(),
      toId: fc.oneof(
        fc.constant((id: string) => id),
        changeId,
      ),
      isIdEncoded: fc.boolean(),
      guids: fc.array(fc.oneof({ weight: 9, arbitrary: guid }, { weight: 1, arbitrary: visibleText }), {
        minLength: 2,
        maxLength: 2,
      }),
      clientRequestId: fc.option(latin1Header, { nil: undefined }),
      isChunked: fc.boolean(),
      signature,
    }),
  )
  .map(([{ path, ...parts }, { guids, ...rest }]) => {
    const [first, second] = guids as [string, string]
    return { ...parts, ...rest, path: path.replace('{guid}', () => first).replace('{guid}', () => second) }
  })
export type GeneratedRequest = typeof generatedRequest extends fc.Arbitrary<infer Request> ? Request : never

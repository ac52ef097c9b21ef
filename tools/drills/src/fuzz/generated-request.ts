import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { latin1Header, methods, mostlyUsual, visibleText } from './arbitraries.ts'
import { invalidSignatures, validSignatures, type SignatureKind } from './signatures.ts'

/** A request without what only a running emulator determines: ids and the signature. */
export interface GeneratedRequest {
  readonly method: string
  /** `{id}` is a placeholder for an id. */
  readonly path: string
  readonly id: { readonly kind: 'known' | 'foreign' | 'unknown' | 'other case' | 'malformed'; readonly pick: number }
  readonly isIdEncoded: boolean
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly isChunked: boolean
  readonly signature: SignatureKind
}

const first = ['2020-07-20-preview2']
const later = '2021-03-07 2021-10-31-preview 2021-11-01 2022-10-01 2023-10-01 2025-03-02-preview 2026-09-23'.split(' ')

const routes = [
  { method: 'POST', path: '/identities', versions: [...first, ...later] },
  { method: 'GET', path: '/identities/{id}', versions: ['2025-03-02-preview'] },
  { method: 'DELETE', path: '/identities/{id}', versions: [...first, ...later] },
  { method: 'PATCH', path: '/identities/{id}', versions: first },
  { method: 'POST', path: '/identities/{id}/token', versions: first },
  { method: 'POST', path: '/identities/{id}/:issueAccessToken', versions: later },
  { method: 'POST', path: '/identities/{id}/:revokeAccessTokens', versions: later },
]

const goodQuery = fc.constantFrom(...first, ...later).map((version) => `?api-version=${version}`)
const badQuery = fc.oneof(
  fc.constantFrom('', '?', '?api-version=', '?api-version=2022-09-01', '?Api-Version=2023-10-01'),
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

const issueBody = fc.record({ scopes: member(scopes), expiresInMinutes: member(minutes) }, { requiredKeys: ['scopes'] })
const createBody = fc.record(
  {
    createTokenWithScopes: member(scopes),
    expiresInMinutes: member(minutes),
    customId: member(fc.oneof(fc.constantFrom('a', 'b'), fc.string({ maxLength: 300 }))),
  },
  { requiredKeys: [] },
)
const revokeBody = fc.record({
  tokensValidFrom: member(
    fc.oneof(
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') }).map((date) => date.toISOString()),
      fc.constantFrom('9999-12-31T23:59:59Z', '2026-01-01T00:00:00+99:99', '2026-02-31T00:00:00Z', 'now'),
    ),
  ),
})

const toBytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value) ?? '')
const empty = new Uint8Array()

function bodyFor(path: string): fc.Arbitrary<Uint8Array> {
  if (path.includes('ssue') || path.endsWith('/token')) return issueBody.map(toBytes)
  if (path === '/identities') return fc.oneof(fc.constant(empty), createBody.map(toBytes))
  return fc.oneof({ weight: 3, arbitrary: fc.constant(empty) }, { weight: 1, arbitrary: revokeBody.map(toBytes) })
}

const oddBody = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.jsonValue().map(toBytes),
  fc.dictionary(fc.string(), fc.jsonValue()).map(toBytes),
  issueBody.map((value) => Buffer.from(JSON.stringify(value), 'utf16le')),
  issueBody.map((value) => gzipSync(JSON.stringify(value))),
  issueBody.map((value) => Buffer.from(`\ufeff${JSON.stringify(value)}`)),
  fc
    .constantFrom('{"scopes":["chat"]', '{"__proto__":{"scopes":["chat"]}}', '[]', '"', 'null', '[['.repeat(5000))
    .map((text) => Buffer.from(text)),
  fc.constantFrom(256 * 1024, 256 * 1024 + 1).map((length) => Buffer.alloc(length, ' ')),
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

const usual = fc.constantFrom(...routes).chain(({ method, path, versions }) =>
  fc.record({
    method: fc.constant(method),
    path: fc.constant(path),
    query: fc.constantFrom(...versions).map((version) => `?api-version=${version}`),
    headers: contentTypes.map((type) => ({ 'content-type': type })),
    body: bodyFor(path),
  }),
)

const unusual = fc.record({
  method: methods,
  path: fc.oneof(
    fc.constantFrom(...routes).map(({ path }) => path),
    fc.constantFrom(
      '/',
      '//identities',
      '/identities/',
      '///identities',
      '*',
      '/%',
      '/%2e',
      '/identities/{id}/:unknown',
    ),
    fc.constantFrom('/IDENTITIES/{id}/:ISSUEACCESSTOKEN', 'https://elsewhere.example/identities'),
    fc.constant('/identities/../identities'),
    visibleText.map((text) => `/${text}`),
    visibleText.map((text) => `/identities/${text}`),
  ),
  query: fc.oneof(goodQuery, badQuery),
  headers: fc
    .tuple(fc.oneof(contentTypes, oddContentTypes), oddHeaders)
    .map(([type, others]) => ({ ...others, 'content-type': type })),
  body: fc.oneof(issueBody.map(toBytes), oddBody),
})

const getKinds = (signatures: object) => Object.keys(signatures) as SignatureKind[]

export const generatedRequest: fc.Arbitrary<GeneratedRequest> = fc
  .tuple(
    mostlyUsual<Uint8Array>(usual, unusual),
    fc.record({
      id: fc.record({
        kind: fc.constantFrom('known', 'known', 'known', 'known', 'foreign', 'unknown', 'other case', 'malformed'),
        pick: fc.nat(),
      }),
      isIdEncoded: fc.boolean(),
      clientRequestId: fc.option(latin1Header, { nil: undefined }),
      isChunked: fc.boolean(),
      signature: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...getKinds(validSignatures)) },
        { weight: 1, arbitrary: fc.constantFrom(...getKinds(invalidSignatures)) },
      ),
    }),
  )
  .map(([parts, { clientRequestId, ...rest }]) => ({
    ...parts,
    ...rest,
    headers: {
      ...parts.headers,
      ...(clientRequestId !== undefined && { 'x-ms-client-request-id': clientRequestId }),
    },
  }))

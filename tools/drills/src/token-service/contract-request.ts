import { METHODS } from 'node:http'
import * as fc from 'fast-check'
import { operations, resolve, type JsonSchema, type Operation } from './contract.ts'

export const validSignIns = ['user', 'guest', 'admin'] as const
const invalidSignIns = [
  'none',
  'expired',
  'early',
  'other audience',
  'other issuer',
  'other key',
  'unsigned',
  'without permission',
  'basic',
  'garbage',
] as const

export type SignInKind = (typeof validSignIns)[number] | (typeof invalidSignIns)[number]

/** A request but for what only the running service knows: users' keys and sign-in tokens. */
export interface GeneratedRequest {
  readonly method: string
  /** `{known}` stands for the key of a user. */
  readonly path: string
  readonly query: string
  /** `{long}` stands for more than Node reads. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
  readonly isChunked: boolean
  readonly signIn: SignInKind
  /** Whether all but the sign-in is as the document has it, where that can be said. */
  readonly isDocumented: boolean
}

/** Values that fit a schema. */
function fitting(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { enum: values, type, properties = {}, required = [], items = {}, pattern, ...limits } = resolve(schema)
  const { minimum = -1e6, maximum = 1e6, minLength = 0, maxLength = 100, minItems = 0, maxItems = 10 } = limits
  if (values) return fc.constantFrom(...values)
  switch (type) {
    case 'object':
      return fc.record(
        Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, fitting(property)])),
        { requiredKeys: [...required] },
      )
    case 'array':
      return fc.array(fitting(items), { minLength: minItems, maxLength: maxItems })
    case 'integer':
      return fc.integer({ min: minimum, max: maximum })
    case 'boolean':
      return fc.boolean()
    case 'string':
      return pattern === undefined ? fc.string({ minLength, maxLength }) : fc.stringMatching(new RegExp(pattern))
    case undefined:
    default:
      throw new Error(`the fuzz does not know ${JSON.stringify(schema)}`)
  }
}

const oddValue = fc.oneof(
  fc.constantFrom(0, -1, 0.5, 59, 1441, 2 ** 53, 1e300, '', 'chat', 'root', 'x'.repeat(20_000), null, [], {}, ['root']),
  fc.jsonValue(),
)
const oddMembers = fc.dictionary(
  fc.constantFrom('scopes', 'expiresInMinutes', 'refresh', 'token', 'communicationUserId', 'subject', '__proto__'),
  oddValue,
  { minKeys: 1, maxKeys: 2 },
)

/** Nearly what fits, other JSON, and no JSON. */
function oddBody(operation: Operation): fc.Arbitrary<Uint8Array | string> {
  return fc.oneof(
    fc
      .tuple(fitting(operation.body ?? { type: 'object' }), oddMembers)
      .map(([good, odd]) => JSON.stringify({ ...(good as object), ...odd })),
    fc.json(),
    fc.string(),
    fc.uint8Array(),
    fc.constantFrom(
      '{"scopes":["chat"]',
      '{"__proto__":{"scopes":["chat"]}}',
      '{"a":1,"a":2}',
      '\ufeff{}',
      '[['.repeat(5000),
    ),
    fc.constantFrom(32 * 1024, 32 * 1024 + 1).map((length) => ' '.repeat(length)),
  )
}

const visible = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) })
const headerText = fc
  .string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) })
  .map((text) => text.trim())

const oddHeaders = fc.dictionary(
  fc.constantFrom(
    'accept',
    'accept-encoding',
    'content-encoding',
    'content-type',
    'cookie',
    'forwarded',
    'host',
    'if-none-match',
    'origin',
    'range',
    'x-forwarded-for',
    'x-http-method-override',
    'x-ms-client-principal',
  ),
  fc.oneof(headerText, fc.constantFrom('text/plain', 'null', 'https://evil.example', '8:acs:x', '{long}')),
  { minKeys: 1, maxKeys: 3 },
)
const contentType = { 'content-type': 'application/json' }

function queryOf({ parameters }: Operation): fc.Arbitrary<string> {
  const properties = Object.fromEntries(
    parameters.filter((parameter) => parameter.in === 'query').map(({ name, schema }) => [name, schema]),
  )
  return fitting({ type: 'object', properties }).map(toQuery)
}

function toQuery(values: unknown): string {
  const text = new URLSearchParams(values as Record<string, string>).toString()
  return text === '' ? '' : `?${text}`
}

const oddQuery = fc.oneof(
  fc.constantFrom(
    '?',
    '?limit=0',
    '?limit=1.5',
    '?limit=1001',
    '?limit=NaN',
    '?limit=1&limit=2',
    '?cursor=',
    '?cursor=%',
  ),
  fc.constantFrom('?__proto__=x', '?subject[x]=1', '?communicationUserId=8:acs:x', '?%', '?a=%C3%28'),
  visible.map((text) => `?${text}`),
)

const keyOrOther = (operation: Operation) =>
  fc
    .oneof(
      { weight: 3, arbitrary: fc.constant('{known}') },
      {
        weight: 1,
        arbitrary: fitting(
          operation.parameters.find(({ in: place }) => place === 'path')?.schema ?? { type: 'boolean' },
        ),
      },
    )
    .map((key) => operation.path.replace('{userKey}', () => String(key)))

const oddPath = fc.oneof(
  fc.constantFrom(
    '/',
    '//v1/token',
    '/v1/token/',
    '/V1/TOKEN',
    '/v1/../v1/token',
    '*',
    '/%',
    '/v1/users/%2e%2e/token/revoke',
  ),
  fc.constantFrom(
    '/v1/users//token/revoke',
    '/v1/users/x',
    '/v1/users/%00',
    '/reference',
    '/metrics',
    '/favicon.ico',
    '/.env',
  ),
  fc.constantFrom('https://elsewhere.example/v1/token', '/v1/token;x=1', '/v1/users/{known}x', '/v1/token/{known}'),
  visible.map((text) => `/${text}`),
  visible.map((text) => `/v1/users/${text}`),
)

/** Mostly requests that differ from a good one in one respect: those get furthest into the service. */
export const generatedRequest: fc.Arbitrary<GeneratedRequest> = fc.constantFrom(...operations).chain((operation) => {
  const good = fc.record({
    method: fc.constant(operation.method),
    path: keyOrOther(operation),
    query: queryOf(operation),
    headers: fc.constant<Record<string, string>>(operation.body ? contentType : {}),
    body: operation.body ? fitting(operation.body).map((value) => JSON.stringify(value)) : fc.constant(''),
  })
  const bad = fc.record({
    // CONNECT asks for a tunnel: it has no answer to judge.
    method: fc.constantFrom(...METHODS.filter((method) => method !== 'CONNECT'), 'BREW'),
    path: oddPath,
    query: oddQuery,
    headers: oddHeaders.map((odd) => ({ ...contentType, ...odd })),
    body: oddBody(operation),
  })
  const shaped = fc.oneof(
    { weight: 4, arbitrary: good.map((parts) => ({ ...parts, isDocumented: true })) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(good, bad, fc.constantFrom('method', 'path', 'query', 'headers', 'body'))
        .map(([parts, odd, part]) => ({ ...parts, [part]: odd[part as 'body'], isDocumented: false })),
    },
    { weight: 1, arbitrary: bad.map((parts) => ({ ...parts, isDocumented: false })) },
  )
  return fc
    .tuple(
      shaped,
      fc.boolean(),
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...validSignIns) },
        { weight: 1, arbitrary: fc.constantFrom(...invalidSignIns) },
      ),
    )
    .map(([parts, isChunked, signIn]) => ({ ...parts, isChunked: isChunked && parts.body !== '', signIn }))
})

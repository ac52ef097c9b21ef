import * as fc from 'fast-check'
import { asciiHeader, methods, mostlyUsual, visibleText } from '../fuzz/arbitraries.ts'
import { operations, resolveReference, type JsonSchema, type Operation } from './contract.ts'
import { invalidSignIns, validSignIns } from './sign-ins.ts'

/** Values that a schema allows. */
function valid(schema: JsonSchema): fc.Arbitrary<unknown> {
  const {
    enum: values,
    type,
    properties = {},
    required = [],
    items = {},
    pattern,
    format,
    ...limits
  } = resolveReference(schema)
  if (values) return fc.constantFrom(...values)
  switch (type) {
    case 'object': {
      const members = Object.entries(properties).map(([name, property]) => [name, valid(property)] as const)
      return fc.record(Object.fromEntries(members), { requiredKeys: [...required] })
    }
    case 'array':
      return fc.array(valid(items), { minLength: limits.minItems ?? 0, maxLength: limits.maxItems ?? 10 })
    case 'integer':
      return fc.integer({ min: limits.minimum ?? -1e6, max: limits.maximum ?? 1e6 })
    case 'boolean':
      return fc.boolean()
    case 'string':
      if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern))
      if (format === 'uuid') return fc.uuid()
      return fc.string({ minLength: limits.minLength ?? 0, maxLength: limits.maxLength ?? 100 })
    case undefined:
    default:
      throw new Error(`the fuzzer does not support the schema ${JSON.stringify(schema)}`)
  }
}

const oddValue = fc.oneof(
  fc.constantFrom(0, -1, 0.5, 59, 1441, 2 ** 53, 1e300, '', 'chat', 'root', 'x'.repeat(20_000), null, [], {}, ['root']),
  fc.jsonValue(),
)
const oddMemberNames =
  'scopes expiresInMinutes refresh token communicationUserId subject principalType clientIds tenantId __proto__'
const oddMembers = fc.dictionary(fc.constantFrom(...oddMemberNames.split(' ')), oddValue, { minKeys: 1, maxKeys: 2 })

/** Bodies that are almost valid, other JSON, and text that is not JSON. */
function oddBody(operation: Operation): fc.Arbitrary<Uint8Array | string> {
  return fc.oneof(
    fc
      .tuple(valid(operation.body ?? { type: 'object' }), oddMembers)
      .map(([body, odd]) => JSON.stringify({ ...(body as object), ...odd })),
    fc.json(),
    fc.string(),
    fc.uint8Array(),
    fc.constantFrom('{"scopes":["chat"]', '{"__proto__":{"scopes":["chat"]}}', '{"a":1,"a":2}', '\ufeff{}'),
    fc.constant('[['.repeat(5000)),
    fc.constantFrom(32 * 1024, 32 * 1024 + 1).map((length) => ' '.repeat(length)),
  )
}

const oddHeaderNames =
  'accept accept-encoding content-encoding content-type cookie forwarded host if-none-match origin range ' +
  'x-forwarded-for x-http-method-override x-ms-client-principal'
const oddHeaders = fc.dictionary(
  fc.constantFrom(...oddHeaderNames.split(' ')),
  fc.oneof(asciiHeader, fc.constantFrom('text/plain', 'null', 'https://evil.example', '8:acs:x', 'x'.repeat(20_000))),
  { minKeys: 1, maxKeys: 3 },
)
const contentType = { 'content-type': 'application/json' }

function validQuery({ parameters }: Operation): fc.Arbitrary<string> {
  const properties = Object.fromEntries(
    parameters.filter((parameter) => parameter.in === 'query').map(({ name, schema }) => [name, schema]),
  )
  return valid({ type: 'object', properties }).map((values) => {
    const text = new URLSearchParams(values as Record<string, string>).toString()
    return text === '' ? '' : `?${text}`
  })
}

const oddQuery = fc.oneof(
  fc.constantFrom('?', '?limit=0', '?limit=1.5', '?limit=1001', '?limit=NaN', '?limit=1&limit=2', '?cursor='),
  fc.constantFrom('?cursor=%', '?__proto__=x', '?subject[x]=1', '?communicationUserId=8:acs:x', '?%', '?a=%C3%28'),
  visibleText.map((text) => `?${text}`),
)

/** Values that most paths share, so that an operation finds what another one created. */
const knownParameters: Readonly<Record<string, string>> = {
  userKey: '{known}',
  objectId: '11111111-1111-1111-1111-111111111111',
}

/** Paths of an operation, mostly with a known value of its parameter. */
function validPath({ path, parameters }: Operation): fc.Arbitrary<string> {
  const parameter = parameters.find(({ in: place }) => place === 'path')
  if (parameter === undefined) return fc.constant(path)
  const { name, schema } = parameter
  return fc
    .oneof({ weight: 3, arbitrary: fc.constant(knownParameters[name]) }, { weight: 1, arbitrary: valid(schema) })
    .map((value) => path.replace(`{${name}}`, () => String(value)))
}

const oddPath = fc.oneof(
  fc.constantFrom('/', '//v1/token', '/v1/token/', '/V1/TOKEN', '/v1/../v1/token', '*', '/%'),
  fc.constantFrom('/v1/users/%2e%2e/token/revoke', '/v1/users//token/revoke', '/v1/users/x', '/v1/users/%00'),
  fc.constantFrom('/reference', '/metrics', '/favicon.ico', '/.env', 'https://elsewhere.example/v1/token'),
  fc.constantFrom('/v1/token;x=1', '/v1/users/{known}x', '/v1/token/{known}'),
  visibleText.map((text) => `/${text}`),
  visibleText.map((text) => `/v1/users/${text}`),
  visibleText.map((text) => `/v1/teams/assignments/${text}`),
)

const generatedParts = fc.constantFrom(...operations).chain((operation) =>
  mostlyUsual(
    fc.record({
      method: fc.constant(operation.method),
      path: validPath(operation),
      query: validQuery(operation),
      headers: fc.constant<Record<string, string>>(operation.body ? contentType : {}),
      body: operation.body ? valid(operation.body).map((value) => JSON.stringify(value)) : fc.constant(''),
    }),
    fc.record({
      method: methods,
      path: oddPath,
      query: oddQuery,
      headers: oddHeaders.map((odd) => ({ ...contentType, ...odd })),
      body: oddBody(operation),
    }),
  ),
)

const signIn = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...Object.keys(validSignIns)) },
  { weight: 1, arbitrary: fc.constantFrom('none', ...Object.keys(invalidSignIns)) },
)

/**
 * Requests without what only a running service determines: sign-in tokens, and a user's key, for which `{known}` in a path is a
 * placeholder. `isUsual` ignores the sign-in.
 */
export const generatedRequest = fc
  .tuple(generatedParts, fc.boolean(), signIn)
  .map(([parts, isChunked, signIn]) => ({ ...parts, isChunked: isChunked && parts.body !== '', signIn }))
export type GeneratedRequest = typeof generatedRequest extends fc.Arbitrary<infer Request> ? Request : never

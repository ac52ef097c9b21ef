import { parseJson } from '@acs-kit/service-settings'
import type { HttpResponse } from '@acs-kit/test-support/http-client'
import { Type, type TProperties, type TString } from 'typebox'
import { Compile } from 'typebox/compile'
import { nameResponse } from './fuzz.ts'

/** Documented responses of the identity routes, and whether they list the route's API versions. */
const identityResponses: Readonly<Record<string, 'versions' | 'no versions' | 'either'>> = {
  '200': 'versions',
  '201': 'versions',
  '204': 'versions',
  '400 ApiVersionUnspecified': 'no versions',
  '400 AmbiguousApiVersion': 'no versions',
  '400 UnsupportedApiVersion': 'no versions',
  // Errors of the operation itself have versions; errors from reading the members do not.
  '400 ValidationError': 'either',
  '401 Denied': 'no versions',
  '401 IdentityNotOwned': 'versions',
  '401 InvalidAccessToken': 'no versions',
  '403 Forbidden': 'versions',
  '404 IdentityNotFound': 'versions',
  '404 NotFound': 'either',
  '405 MethodNotAllowed': 'no versions',
  '413 RequestBodyTooLarge': 'no versions',
  '415 UnsupportedMediaType': 'no versions',
  '422 UnprocessableEntity': 'no versions',
  '429 TooManyRequests': 'no versions',
}

const administrationResponses = new Set([
  '200',
  '201',
  '204',
  '400 Rejected',
  '401 Unauthorized',
  '403 Rejected',
  '404 NotFound',
])

/** Statuses of Node's own parser, which rejects a request before the emulator reads it: no body, no headers of the service. */
const parserStatuses = new Set([400, 408, 417, 431])

const operationErrors = /^(Invalid scopes - |ExpiresInMinutes value |Provided )/

/** Returns what is wrong with a response of the identity routes, or undefined. */
export function findIdentityFlaw(response: HttpResponse, { isHead }: { isHead: boolean }): string | undefined {
  const { status, headers, text } = response
  if (text === '' && parserStatuses.has(status) && headers['ms-cv'] === undefined) return undefined
  for (const name of ['ms-cv', 'request-context', 'x-processing-time', 'x-cache', 'x-azure-ref', 'date']) {
    if (headers[name] === undefined) return `the header ${name} is missing`
  }
  // A response to HEAD has no body, and so no code.
  if (isHead) return [401, 404, 405, 413].includes(status) ? undefined : 'HEAD was accepted'
  const versions = identityResponses[nameResponse(response)]
  if (versions === undefined) return 'the response is not documented'
  const hasVersions = headers['api-supported-versions'] !== undefined
  const expectsVersions =
    versions === 'either' ? operationErrors.test(String(readError(text)?.message)) : versions === 'versions'
  if (hasVersions !== expectsVersions) return `api-supported-versions is ${hasVersions ? 'unexpected' : 'missing'}`
  const flaw = findBodyFlaw(response)
  if (flaw !== undefined || status > 201 || result.Check(parseJson(text))) return flaw
  return 'the form of the body is not documented'
}

/** Returns what is wrong with a response of the administration API, or undefined. */
export function findAdministrationFlaw(response: HttpResponse, { isHead }: { isHead: boolean }): string | undefined {
  const { status, text } = response
  if (text === '' && parserStatuses.has(status)) return undefined
  if (isHead) return [401, 403, 404].includes(status) ? undefined : 'HEAD was accepted'
  if (!administrationResponses.has(nameResponse(response))) return 'the response is not documented'
  return findBodyFlaw(response)
}

function findBodyFlaw({ status, headers, text }: HttpResponse): string | undefined {
  const type = headers['content-type']
  if (status === 204) return text === '' && type === undefined ? undefined : '204 has a body'
  const expected = status < 400 ? 'application/json; charset=utf-8' : 'application/json'
  if (type !== expected) return `the content type is ${type}`
  if (parseJson(text) === undefined) return 'the body is not JSON'
  if (status < 400) return undefined
  const error = readError(text)
  const unknown = Object.keys({ ...error }).find((name) => !['code', 'message', 'target', 'innererror'].includes(name))
  if (unknown !== undefined) return `the error has an unknown member ${unknown}`
  return typeof error?.code === 'string' && typeof error.message === 'string' ? undefined : 'the error is incomplete'
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const id = /^8:acs:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(_wf)?(_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}){1,2}$/
const jwt = /^[\w-]+\.[\w-]+\.[\w-]{342}$/
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00$/
const wholeSeconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/

const text = (pattern: RegExp) => Type.String({ pattern })
const object = <Members extends TProperties>(members: Members) => Type.Object(members, { additionalProperties: false })
const token = { token: text(jwt), expiresOn: text(time) }
const identityWith = (id: TString) =>
  Type.Union([
    object({ id }),
    object({ id, customId: text(/^[^]{1,256}$/), lastTokenIssuedAt: Type.Optional(text(wholeSeconds)) }),
  ])
const assignment = object({
  objectId: text(guid),
  tenantId: text(guid),
  principalType: text(/^(user|resourceAccount|group|tenant)$/),
  clientIds: Type.Optional(Type.Array(text(guid))),
})
/** Some results repeat the id as the request spelled it. */
const anyId = text(/^8:acs:/i)

const result = Compile(
  Type.Union([
    object({ identity: identityWith(text(id)), accessToken: Type.Optional(object(token)) }),
    object(token),
    object({ id: anyId, ...token }),
    identityWith(anyId),
    assignment,
    object({ value: Type.Array(assignment) }),
  ]),
)

function readError(body: string) {
  return (parseJson(body) as { error?: { code?: unknown; message?: unknown } } | null | undefined)?.error
}

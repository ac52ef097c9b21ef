import type { HttpResponse } from '@acs-kit/test-support/http-client'

/** Every status that the identity routes answer with, by error code, and whether the api-versions of the route come with it. */
const identityAnswers: Readonly<Record<string, 'versions' | 'no versions' | 'either'>> = {
  '200': 'versions',
  '201': 'versions',
  '204': 'versions',
  '400 ApiVersionUnspecified': 'no versions',
  '400 AmbiguousApiVersion': 'no versions',
  '400 UnsupportedApiVersion': 'no versions',
  // With those that the action itself finds, without where the members were not even readable.
  '400 ValidationError': 'either',
  '401 Denied': 'no versions',
  '401 IdentityNotOwned': 'versions',
  '404 IdentityNotFound': 'versions',
  '404 NotFound': 'no versions',
  '405 MethodNotAllowed': 'no versions',
  '413 RequestBodyTooLarge': 'no versions',
  '415 UnsupportedMediaType': 'no versions',
  '422 UnprocessableEntity': 'no versions',
  '429 TooManyRequests': 'no versions',
}

const administrationAnswers = new Set(['200', '201', '204', '400 Refused', '403 Refused', '404 NotFound'])

/** What Node's parser refuses before the emulator sees a request: no body, no headers of the service. */
const parserAnswers = new Set(['400', '408', '417', '431'])

const actionRefusals = /^(Invalid scopes - |ExpiresInMinutes value )/

interface ErrorBody {
  readonly code?: unknown
  readonly message?: unknown
}

/** Status and error code, as the tables above name an answer. */
export function nameAnswer({ status, text }: HttpResponse): string {
  const { code } = errorOf(text) ?? {}
  return typeof code === 'string' ? `${status} ${code}` : String(status)
}

/** What is wrong with an answer of the identity routes; undefined when nothing is. */
export function findIdentityFlaw(response: HttpResponse, { isHead }: { isHead: boolean }): string | undefined {
  const { status, headers, text } = response
  if (text === '' && parserAnswers.has(String(status)) && headers['ms-cv'] === undefined) return undefined
  for (const name of ['ms-cv', 'request-context', 'x-processing-time', 'x-cache', 'x-azure-ref', 'date']) {
    if (headers[name] === undefined) return `the header ${name} is missing`
  }
  // An answer to HEAD has no body to tell its code.
  if (isHead)
    return status === 401 || status === 404 || status === 405 || status === 413 ? undefined : 'HEAD got through'
  const versions = identityAnswers[nameAnswer(response)]
  if (versions === undefined) return 'the answer is no documented one'
  const hasVersions = headers['api-supported-versions'] !== undefined
  const message = errorOf(text)?.message
  const expectsVersions =
    versions === 'either' ? typeof message === 'string' && actionRefusals.test(message) : versions === 'versions'
  if (hasVersions !== expectsVersions) return `api-supported-versions is ${hasVersions ? 'there' : 'missing'}`
  return findBodyFlaw(response) ?? (status < 300 && status !== 204 ? findResultFlaw(text) : undefined)
}

export function findAdministrationFlaw(response: HttpResponse, { isHead }: { isHead: boolean }): string | undefined {
  if (response.text === '' && parserAnswers.has(String(response.status))) return undefined
  if (isHead) return response.status === 404 || response.status === 403 ? undefined : 'HEAD got through'
  if (!administrationAnswers.has(nameAnswer(response))) return 'the answer is no documented one'
  return findBodyFlaw(response)
}

function findBodyFlaw({ status, headers, text }: HttpResponse): string | undefined {
  const type = headers['content-type']
  if (status === 204) return text === '' && type === undefined ? undefined : '204 has a body'
  const expected = status < 400 ? 'application/json; charset=utf-8' : 'application/json'
  if (type !== expected) return `the content type is ${type}`
  const body = parse(text)
  if (body === undefined) return 'the body is no JSON'
  if (status < 400) return undefined
  const error = errorOf(text)
  const unknown = Object.keys({ ...error }).find((name) => !['code', 'message', 'target', 'innererror'].includes(name))
  if (unknown !== undefined) return `an error has no member ${unknown}`
  return typeof error?.code === 'string' && typeof error.message === 'string' ? undefined : 'the error is incomplete'
}

const id = /^8:acs:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const jwt = /^[\w-]+\.[\w-]+\.[\w-]{342}$/
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00$/
const wholeSeconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/

type Check = (value: unknown) => boolean
const text = (form: RegExp) => (value: unknown) => typeof value === 'string' && form.test(value)
const isToken: Check = (value) => hasExactly(value, { token: text(jwt), expiresOn: text(time) })
const isAnyId = text(/^8:acs:/i)
const isCustomId = text(/^[^]{1,256}$/)
const hasId = (value: unknown, isId: Check) =>
  hasExactly(value, { id: isId }) ||
  hasExactly(value, { id: isId, customId: isCustomId }, { lastTokenIssuedAt: text(wholeSeconds) })
const isIdentity: Check = (value) => hasId(value, text(id))

const results: readonly Check[] = [
  (value) => hasExactly(value, { identity: isIdentity }, { accessToken: isToken }),
  isToken,
  // These repeat the id as it was asked for.
  (value) => hasExactly(value, { id: isAnyId, token: text(jwt), expiresOn: text(time) }),
  (value) => hasId(value, isAnyId),
]

function findResultFlaw(body: string): string | undefined {
  const value = parse(body)
  return results.some((check) => check(value)) ? undefined : 'the body has no documented form'
}

function hasExactly(value: unknown, required: Record<string, Check>, optional: Record<string, Check> = {}): boolean {
  if (typeof value !== 'object' || value === null) return false
  const checks: Record<string, Check> = { ...required, ...optional }
  return (
    Object.keys(required).every((name) => name in value) &&
    Object.entries(value).every(([name, member]) => checks[name]?.(member) ?? false)
  )
}

function errorOf(body: string): ErrorBody | undefined {
  const value = parse(body)
  return typeof value === 'object' && value !== null && 'error' in value ? (value.error as ErrorBody) : undefined
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

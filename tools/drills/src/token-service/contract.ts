import { parseJson } from '@acs-kit/service-settings'
import type { HttpResponse } from '@acs-kit/test-support/http-client'
import openApi from '@acs-kit/token-contract/openapi.json' with { type: 'json' }
import { Compile, type Validator, type XSchema } from 'typebox/schema'

/** The parts of JSON Schema that the contract uses. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly pattern?: string
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>
}

interface OpenApiOperation {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: JsonSchema }[]
  readonly requestBody?: Content
  readonly security?: readonly unknown[]
  readonly responses: Readonly<Record<string, Content>>
}

const { components } = openApi
const problemType = 'application/problem+json'

/** Responses at any address: the route is unknown or the request is malformed. */
const commonResponses = new Map(
  [400, 403, 404, 405, 413, 415, 429, 431].map((status) => [
    status,
    { mediaType: problemType, validator: compile({ $ref: `#/components/schemas/Problem${status}` }) },
  ]),
)

/** The operations of the OpenAPI document: their valid requests and their responses. */
export const operations = Object.entries(
  openApi.paths as unknown as Record<string, Record<string, OpenApiOperation>>,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { parameters = [], requestBody, security, responses }]) => {
    const body = requestBody?.content?.['application/json']?.schema
    return {
      method: method.toUpperCase(),
      /** Contains `{name}` for each path parameter. */
      path,
      pathPattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]*')}$`),
      isSignedIn: security !== undefined,
      parameters,
      body,
      bodyValidator: body && compile(body),
      responses: new Map(
        Object.entries(responses).map(([status, { content }]) => [Number(status), toDocumentedResponse(content)]),
      ),
    }
  }),
)
export type Operation = (typeof operations)[number]

export function resolveReference(schema: JsonSchema): JsonSchema {
  const name = schema.$ref?.replace('#/components/schemas/', '')
  return name === undefined ? schema : (components.schemas as unknown as Record<string, JsonSchema>)[name]!
}

/** Returns the operation that handles a request, if any. */
export function findOperation(method: string, url: string): Operation | undefined {
  // A request target may include the host, as in a request to a proxy: RFC 9112, section 3.2.2.
  const [path = ''] = url.replace(/^https?:\/\/[^/]*/, '').split('?')
  const documentedMethod = method === 'HEAD' ? 'GET' : method
  return operations.find((operation) => operation.method === documentedMethod && operation.pathPattern.test(path))
}

/** Returns how a response differs from the document, or undefined. */
export function findResponseFlaw(
  { status, headers, text }: HttpResponse,
  operation: Operation | undefined,
  { isHead }: { isHead: boolean },
): string | undefined {
  const isCommon = operation === undefined || status === 431
  const documented = operation?.responses.get(status) ?? (isCommon ? commonResponses.get(status) : undefined)
  if (documented === undefined) return 'the status is not documented'
  if (status === 401 && headers['www-authenticate'] === undefined) return 'WWW-Authenticate is missing'
  const { mediaType, validator } = documented
  if (!(headers['content-type'] ?? '').startsWith(mediaType)) return 'the content type is wrong'
  if (isHead || validator === undefined) return text === '' ? undefined : 'the response has a body'
  const body = parseJson(text)
  if (!validator.Check(body)) return `the response is invalid: ${JSON.stringify(validator.Errors(body)[1])}`
  if (mediaType !== problemType) return undefined
  const problem = body as { status: number; retryAfter?: number }
  if (problem.status !== status) return 'the status of the problem differs from that of the response'
  return headers['retry-after'] === problem.retryAfter?.toString() ? undefined : 'Retry-After differs from the problem'
}

function toDocumentedResponse(content: Content['content'] = {}) {
  const [[mediaType, { schema }] = ['', { schema: undefined }]] = Object.entries(content)
  return { mediaType, validator: schema && compile(schema) }
}

/** Compiles a schema that may refer to others in the document. */
function compile(schema: JsonSchema): Validator {
  return Compile({ ...schema, components } as unknown as XSchema)
}

import openApi from '@acs-kit/token-contract/openapi.json' with { type: 'json' }
import { Compile, type Validator, type XSchema } from 'typebox/schema'
import type { HttpResponse } from '@acs-kit/test-support/http-client'

/** As far as the contract goes. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly pattern?: string
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

interface DocumentedOperation {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: JsonSchema }[]
  readonly requestBody?: Content
  readonly security?: readonly unknown[]
  readonly responses: Readonly<Record<string, Content>>
}

/** A route of the OpenAPI document, and what may be asked of it and answered. */
export interface Operation {
  readonly method: string
  /** With `{name}` for each of the path's parameters. */
  readonly path: string
  readonly isSignedIn: boolean
  readonly parameters: NonNullable<DocumentedOperation['parameters']>
  readonly body: JsonSchema | undefined
  readonly fitsBody: (value: unknown) => boolean
  /** By status. */
  readonly answers: ReadonlyMap<number, Answer>
}

interface Answer {
  readonly mediaType: string | undefined
  readonly validator: Validator | undefined
}

const { components } = openApi
const problemType = 'application/problem+json'

/** Anybody may get these wherever they ask: there is no route there, or what came is no request. */
const answersOutsideRoutes = new Map(
  [400, 403, 404, 405, 413, 415, 429, 431].map((status) => [
    status,
    { mediaType: problemType, validator: compile({ $ref: `#/components/schemas/Problem${status}` }) },
  ]),
)

export const operations: readonly Operation[] = Object.entries(
  openApi.paths as unknown as Record<string, Record<string, DocumentedOperation>>,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { parameters = [], requestBody, security, responses }]) => {
    const body = requestBody?.content?.['application/json']?.schema
    const bodyValidator = body && compile(body)
    return {
      method: method.toUpperCase(),
      path,
      isSignedIn: security !== undefined,
      parameters,
      body,
      fitsBody: (value) => bodyValidator?.Check(value) ?? true,
      answers: new Map(Object.entries(responses).map(([status, { content }]) => [Number(status), answerOf(content)])),
    }
  }),
)

export function resolve(schema: JsonSchema): JsonSchema {
  const name = schema.$ref?.replace('#/components/schemas/', '')
  return name === undefined ? schema : (components.schemas as unknown as Record<string, JsonSchema>)[name]!
}

/** The operation that a request is for, if any. */
export function findOperation(method: string, url: string): Operation | undefined {
  // A request may name the host too, as one to a proxy does: RFC 9112, section 3.2.2.
  const [path = ''] = url.replace(/^https?:\/\/[^/]*/, '').split('?')
  const segments = path.split('/')
  return operations.find((operation) => {
    const template = operation.path.split('/')
    return (
      (operation.method === method || (method === 'HEAD' && operation.method === 'GET')) &&
      template.length === segments.length &&
      template.every((segment, index) => segment.startsWith('{') || segment === segments[index])
    )
  })
}

/** What is wrong with an answer, going by the document; undefined when nothing is. */
export function findAnswerFlaw(
  { status, headers, text }: HttpResponse,
  operation: Operation | undefined,
  { isHead }: { isHead: boolean },
): string | undefined {
  const answer =
    operation?.answers.get(status) ?? (operation && status !== 431 ? undefined : answersOutsideRoutes.get(status))
  if (answer === undefined) return 'the status is not documented'
  if (status === 401 && headers['www-authenticate'] === undefined) return 'WWW-Authenticate is missing'
  const { mediaType, validator } = answer
  if (mediaType !== undefined && !headers['content-type']?.startsWith(mediaType)) return 'the content type is another'
  if (isHead || validator === undefined) return text === '' ? undefined : 'there is a body'
  const body = parse(text)
  if (!validator.Check(body)) return `the answer does not fit: ${JSON.stringify(validator.Errors(body)[1])}`
  if (mediaType !== problemType) return undefined
  const problem = body as { status: number; retryAfter?: number }
  if (problem.status !== status) return 'the problem tells of another status'
  return headers['retry-after'] === problem.retryAfter?.toString() ? undefined : 'Retry-After and the problem disagree'
}

function answerOf(content: Content['content']): Answer {
  const [entry] = Object.entries(content ?? {})
  if (entry === undefined || entry[1].schema.type === 'null') return { mediaType: undefined, validator: undefined }
  const [mediaType, { schema }] = entry
  return { mediaType, validator: compile(schema) }
}

/** References are looked up in the document. */
function compile(schema: JsonSchema): Validator {
  return Compile({ ...schema, components } as unknown as XSchema)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

import type { JWTPayload } from 'jose'
import { isObject, parseObject, type RawRequest, type RawResponse } from '../raw-request.ts'
import { invalid, methodNotAllowed, type ArmError } from './arm-error.ts'

/** An authenticated request. */
export interface ArmRequest extends RawRequest {
  /** Claims of the caller's token. */
  readonly caller: JWTPayload
  readonly apiVersion: string
}

export function readApiVersion({ query }: RawRequest): string {
  const [version] = [...query].find(([name]) => name.toLowerCase() === 'api-version')?.slice(1) ?? []
  if (!version) {
    throw invalid(
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    )
  }
  if (/^\d{4}-\d\d-\d\d(?:-[a-z]+)?$/.test(version)) return version
  throw invalid('InvalidApiVersionParameter', `The api-version '${version}' is invalid: use YYYY-MM-DD.`)
}

/** Responds to a GET. Throws an `ArmError` for any other method. */
export function respondToGet(request: ArmRequest, getBody: () => object): RawResponse {
  if (request.method !== 'GET') throw methodNotAllowed(request)
  return { status: 200, body: getBody() }
}

export function readBody({ body }: RawRequest): Readonly<Record<string, unknown>> {
  const object = parseObject(body)
  if (!object) throw invalidContent('it must be a JSON object.')
  const wrong = objectMembers.find((name) => !isObject(object[name] ?? {}))
  if (wrong !== undefined) throw invalidContent(`'${wrong}' must be an object.`)
  return object
}

/** Members of a resource that are objects in every type; null counts as absent. */
const objectMembers = ['properties', 'tags', 'sku', 'identity', 'plan']

/** Error for a malformed body; `reason` is a clause with its full stop. */
export function invalidContent(reason: string): ArmError {
  return invalid('InvalidRequestContent', `The request content was invalid and could not be deserialized: ${reason}`)
}

import { isJson, isObject, parseJson, type RawRequest } from '../raw-request.ts'
import { modelError, ServiceError, validationError } from './errors.ts'
import { isSince, type ApiVersion } from './api-versions.ts'

export type Members = Record<string, unknown>

const guid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Reads the members of a request body that its api-version knows. */
export function readBody(request: RawRequest, known: readonly string[], options: { strict: boolean }): Members {
  return selectMembers(readObject(request), known, options)
}

/** Reads the object in a request body; an empty body counts as an empty object. Throws the service's error. */
export function readObject(request: RawRequest): Members {
  if (request.body.length === 0) return {}
  // guess(media-type)
  if (!isJson(request)) {
    throw new ServiceError(415, 'UnsupportedMediaType', 'The media type of the request body is not supported.')
  }
  const body = parseJson(request.body)
  // guess(malformed-json): the status is documented in general, code and text are not.
  if (body === undefined) throw new ServiceError(422, 'UnprocessableEntity', 'The request body is not valid JSON.')
  if (!isObject(body)) throw modelError('The request body must be a JSON object.', '$')
  return body
}

/**
 * Selects the known members of an object. SDKs send `null` for absent members, even for those that the api-version lacks.
 * Unknown members are ignored, or rejected when `strict`.
 */
export function selectMembers(object: Members, known: readonly string[], { strict }: { strict: boolean }): Members {
  const present = Object.entries(object).filter(([, value]) => value !== null)
  // guess(unknown-members)
  const unknown = present.find(([name]) => !known.includes(name))?.[0]
  if (strict && unknown !== undefined) {
    throw modelError(`${toPascalCase(unknown)}: The member is unknown to this api-version.`, toPascalCase(unknown))
  }
  return Object.fromEntries(present.filter(([name]) => known.includes(name)))
}

/** Reads `scopes` of an issue request. The service reports missing scopes and empty ones as different errors. */
export function requireScopes(members: Members): string[] {
  const scopes = optionalStrings(members, 'scopes')
  if (scopes === undefined) throw modelError('Scopes: The Scopes field is required.', 'Scopes')
  return scopes
}

export function optionalStrings(members: Members, name: string): string[] | undefined {
  return optional(members, name, (value): value is string[] => Array.isArray(value) && value.every(isString))
}

export function optionalInteger(members: Members, name: string): number | undefined {
  return optional(
    members,
    name,
    (value): value is number => Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31,
  )
}

export function optionalString(members: Members, name: string): string | undefined {
  return optional(members, name, isString)
}

function optional<Value>(members: Members, name: string, isValid: (value: unknown) => value is Value) {
  const value = members[name]
  if (value === undefined || isValid(value)) return value
  // guess(ill-typed)
  throw modelError(`${toPascalCase(name)}: The value could not be converted.`, toPascalCase(name))
}

export function isGuid(text: string): boolean {
  return guid.test(text)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

export function checkScopes(scopes: readonly string[], version: ApiVersion): void {
  if (scopes.length === 0) throw validationError('Invalid scopes - Scopes field is required.', 'scopes')
  const known = getKnownScopes(version)
  const unknown = scopes.find((scope) => !known.includes(scope))
  // guess(unknown-scope)
  if (unknown !== undefined) throw validationError(`Invalid scopes - Scope '${unknown}' is not supported.`, 'scopes')
}

function getKnownScopes(version: ApiVersion): string[] {
  if (!isSince(version, '2021-02-22-preview1')) return ['chat', 'voip', 'pstn']
  if (!isSince(version, '2023-10-01')) return ['chat', 'voip']
  return ['chat', 'voip', 'chat.join', 'chat.join.limited', 'voip.join']
}

export function checkLifetime(minutes = 1440): number {
  if (minutes < 60 || minutes > 1440) {
    throw validationError(
      `ExpiresInMinutes value ${minutes} is invalid. Value must be within the [60, 1440] interval.`,
      'ExpiresInMinutes',
    )
  }
  return minutes
}

export function toPascalCase(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

import { isJson, isObject, parseJson, type RawRequest } from '../raw-request.ts'
import { badRequest, ChatError } from './chat-error.ts'

export type Members = Readonly<Record<string, unknown>>

/** Metadata of a request; null removes a value from the existing metadata. */
type MetadataPatch = Readonly<Record<string, string | null>>

// guess(chat-validation): codes and texts for invalid bodies and parameters, and which content is invalid.
/** Reads the known members of a request body. Unknown ones are ignored, or rejected when `strict`. */
export function readBody(request: RawRequest, known: readonly string[], { strict }: { strict: boolean }): Members {
  if (request.body.length === 0) return {}
  if (!isJson(request)) {
    const message = 'The media type of the request body is not supported.'
    throw new ChatError(415, 'UnsupportedMediaType', { message })
  }
  const body = parseJson(request.body)
  if (!isObject(body)) throw badRequest('The request body must be a JSON object.')
  return selectMembers(body, known, { strict })
}

export function selectMembers(object: Members, known: readonly string[], { strict }: { strict: boolean }): Members {
  const unknown = Object.keys(object).find((name) => object[name] !== null && !known.includes(name))
  if (strict && unknown !== undefined) throw badRequest(`The member ${unknown} is unknown to this api-version.`)
  return Object.fromEntries(Object.entries(object).filter(([name]) => known.includes(name)))
}

export function optionalText(members: Members, name: string): string | undefined {
  const value = members[name] ?? undefined
  if (value === undefined || typeof value === 'string') return value
  throw badRequest(`The ${name} must be a string.`)
}

export function requireText(members: Members, name: string): string {
  const text = optionalText(members, name)
  if (text === undefined) throw badRequest(`The ${name} is required.`)
  return text
}

/** Reads a time; milliseconds. */
export function optionalTime(members: Members, name: string): number | undefined {
  const text = optionalText(members, name)
  return text === undefined ? undefined : parseTime(text, name)
}

/** Parses a time of RFC 3339; others that `Date.parse` accepts would depend on the time zone of the machine. */
export function parseTime(text: string, name: string): number {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(time)) throw badRequest(`The ${name} must be a time of RFC 3339, such as 2026-01-31T13:05:00Z.`)
  return time
}

export function optionalMetadata({ metadata }: Members): Record<string, string> | undefined {
  return metadata ? mergeMetadata({}, readMetadata(metadata)) : undefined
}

/** Returns the metadata after a merge patch; undefined if the patch has none. */
export function patchMetadata(
  before: Readonly<Record<string, string>> | undefined,
  { metadata }: Members,
): Record<string, string> | undefined {
  return metadata ? mergeMetadata(before ?? {}, readMetadata(metadata)) : undefined
}

// guess(empty-metadata): recorded for a change of a message.
/** Removes the keys whose value in the patch is null or empty. */
function mergeMetadata(before: Readonly<Record<string, string>>, patch: MetadataPatch): Record<string, string> {
  const merged = Object.entries({ ...before, ...patch })
  return Object.fromEntries(merged.filter((entry): entry is [string, string] => Boolean(entry[1])))
}

function readMetadata(metadata: unknown): MetadataPatch {
  if (isObject(metadata) && Object.values(metadata).every(isTextOrNull)) return metadata as MetadataPatch
  throw badRequest('The metadata must be an object of strings.')
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string'
}

/** Reads the retention of a thread: a number of days, or null for none; undefined if absent. */
export function readRetentionDays({ retentionPolicy }: Members): number | null | undefined {
  if (retentionPolicy === undefined || retentionPolicy === null) return retentionPolicy
  const { kind, deleteThreadAfterDays: days } = isObject(retentionPolicy) ? retentionPolicy : {}
  if (kind === 'none') return null
  if (kind !== 'threadCreationDate') throw badRequest('The kind of the retentionPolicy is invalid.')
  if (typeof days !== 'number') throw badRequest('The deleteThreadAfterDays must be a number.')
  return days
}

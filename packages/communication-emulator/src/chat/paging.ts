import { decodePath, getOrigin, type RawRequest } from '../raw-request.ts'
import { parseTime } from './body.ts'
import { badRequest } from './chat-error.ts'
import { chatLimits } from './limits.ts'

/** A page of a list that is newest first. */
export interface TimePage {
  readonly limit: number
  /** Earliest time of an entry. */
  readonly from: number
  /** Id or row id that precedes the page. */
  readonly before: number
}

export interface SkipPage {
  readonly limit: number
  readonly skip: number
}

/** Reads a page by time. The link to the next page continues it by `syncState`, which also has its exact start. */
export function readTimePage({ query }: RawRequest, defaultSize?: number): TimePage {
  const limit = readPageSize(query, defaultSize)
  const syncState = query.get('syncState')
  if (syncState !== null) {
    const [before, from] = Buffer.from(syncState, 'hex').toString().split(' ').map(Number)
    if (!Number.isSafeInteger(before) || !Number.isSafeInteger(from)) throw badRequest('The syncState is invalid.')
    return { limit, from: from!, before: before! }
  }
  const startTime = query.get('startTime')
  const from = startTime === null ? 0 : parseTime(startTime, 'startTime')
  return { limit, from, before: Number.MAX_SAFE_INTEGER }
}

export function readSkipPage({ query }: RawRequest): SkipPage {
  return { limit: readPageSize(query), skip: readCount(query, 'skip', 0) }
}

// guess(page-size)
function readPageSize(query: URLSearchParams, defaultSize: number = chatLimits.pageSize): number {
  const size = readCount(query, 'maxPageSize', defaultSize)
  if (size === 0) throw badRequest('The maxPageSize is invalid.')
  return Math.min(size, chatLimits.pageSize)
}

function readCount(query: URLSearchParams, name: string, absent: number): number {
  const text = query.get(name)
  if (text === null) return absent
  if (!/^\d{1,9}$/.test(text)) throw badRequest(`The ${name} is invalid.`)
  return Number(text)
}

/** Returns the body of a page by time; `entries` has one entry more than the page if another one follows. */
export function toTimePage<Entry>(
  request: RawRequest,
  entries: readonly Entry[],
  page: TimePage,
  { getId, toWire }: { getId: (entry: Entry) => number; toWire: (entry: Entry) => unknown },
) {
  const { limit, from } = page
  const value = entries.slice(0, limit).map(toWire)
  if (entries.length <= limit) return { value }
  const syncState = Buffer.from(`${getId(entries[limit - 1]!)} ${from}`).toString('hex')
  return { value, nextLink: toNextLink(request, { syncState, startTime: toDotNetTime(from), maxPageSize: limit }) }
}

/** Returns the body of a page by position; `entries` has one entry more than the page if another one follows. */
export function toSkipPage<Entry>(
  request: RawRequest,
  entries: readonly Entry[],
  { limit, skip }: SkipPage,
  toWire: (entry: Entry) => unknown,
) {
  const value = entries.slice(0, limit).map(toWire)
  if (entries.length <= limit) return { value }
  return { value, nextLink: toNextLink(request, { skip: skip + limit, maxPageSize: limit }) }
}

/** Returns an absolute link to the same list, whose thread id is not escaped, as recorded. */
function toNextLink(request: RawRequest, parameters: Readonly<Record<string, string | number>>): string {
  const apiVersion = request.query.get('api-version')!
  const query = Object.entries({ ...parameters, 'api-version': apiVersion })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
  return `${getOrigin(request)}${decodePath(request.path).replace(/^\/+/, '/')}?${query}`
}

/** Returns a time in the form of the service's links, such as `1/31/2026 1:05:00 PM +00:00`. */
function toDotNetTime(time: number): string {
  const date = new Date(time)
  const hours = date.getUTCHours()
  const [minutes, seconds] = [date.getUTCMinutes(), date.getUTCSeconds()].map((part) => String(part).padStart(2, '0'))
  const day = `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}`
  return `${day} ${hours % 12 || 12}:${minutes}:${seconds} ${hours < 12 ? 'AM' : 'PM'} +00:00`
}

import type { IncomingHttpHeaders } from 'node:http'

/** A request as a plane sees it: whole, and as raw as it came, since signatures are made over the raw form. */
export interface RawRequest {
  readonly method: string
  /** The request target as sent: path and query, nothing decoded. */
  readonly target: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Whether the body exceeded the limit; `body` is then empty. */
  readonly isBodyTooLarge: boolean
  readonly remoteAddress: string | undefined
}

/** What a plane answers; `body` is sent as JSON, `html` as a page. */
export interface RawResponse {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly html?: string
  /** Sent with the resource manager's own headers, in place of those of the identity service's front door. */
  readonly isFromResourceManager?: boolean
  /** For the request log. */
  readonly communicationUserId?: string
  /** Why the request was refused, for the log: more than the service itself would say, and never a key. */
  readonly explanation?: Readonly<Record<string, unknown>>
}

/** Undecodable escapes are left as they are: such a path is simply not found. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The words of one header; Node joins the values of most repeated ones. */
export function getHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** Returns the JSON object that a body contains, an empty one for an empty body, and undefined for anything else. */
export function parseObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = body.length === 0 ? {} : JSON.parse(body.toString())
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

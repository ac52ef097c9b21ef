import type { IncomingHttpHeaders } from 'node:http'

/** A complete, unparsed HTTP request: signatures are computed over the raw form. */
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

/** Services whose responses differ in format; Microsoft Entra ID has that of the identity service here. */
export type EmulatedService = 'identity' | 'chat' | 'resourceManager'

/** A response before the listener adds its headers; `body` is sent as JSON, `html` as a page, `text` as plain text unless a header names its type. */
export interface RawResponse {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly html?: string
  readonly text?: string
  /** Service whose headers and format it has. */
  readonly service?: EmulatedService
  /** Recorded in the request log. */
  readonly communicationUserId?: string
  /** Recorded in the request log; default: the one in the path. */
  readonly threadId?: string
  /** Reason of a rejection, for the log: more than the service itself reveals, and never a key. */
  readonly explanation?: Readonly<Record<string, unknown>>
}

/** Decodes a path; one with invalid escapes stays as it is, and matches no route. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** Returns the value of one header; Node already joins the values of most repeated ones. */
export function getHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** Returns the origin that the client reached: behind a port mapping, the emulator does not know it otherwise. */
export function getOrigin({ headers }: RawRequest): string {
  return `https://${headers.host ?? 'localhost'}`
}

/** Whether the media type of a body is JSON, or based on it. */
export function isJson({ headers }: RawRequest): boolean {
  return /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(getHeader(headers, 'content-type') ?? '')
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Parses a JSON body; undefined if it is not valid JSON in UTF-8. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(decoder.decode(body))
  } catch {
    return undefined
  }
}

/** Parses a body that is empty or a JSON object; undefined for any other. */
export function parseObject(body: Buffer): Record<string, unknown> | undefined {
  const value = body.length === 0 ? {} : parseJson(body)
  return isObject(value) ? value : undefined
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

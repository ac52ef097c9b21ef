import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { signedHeaders } from '@acs-kit/test-support/signed-request'

export interface WireResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests inspect arbitrary responses
  readonly json: any
}

export interface WireRequest {
  readonly method?: string
  /** Path and query, sent unchanged. */
  readonly target: string
  /** A string is sent unchanged, any other value as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly accessKey: string
  readonly date?: Date
  /** Differences between the signature and the request, as wrong clients and some SDKs produce them. */
  readonly sign?: { target?: string; names?: string[]; host?: string; contentHash?: string; drop?: string[] }
}

/** Sends a request that is signed by hand, in ways that no SDK does. */
export async function send(endpoint: string, options: WireRequest): Promise<WireResponse> {
  const { method = 'POST', target, body, accessKey, date = new Date(), sign = {} } = options
  const payload = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const headers = signedHeaders({
    method,
    path: sign.target ?? target,
    host: sign.host ?? new URL(endpoint).host,
    accessKey,
    body: payload,
    date,
    ...(sign.names && { signedNames: sign.names }),
    headers: {
      ...(sign.contentHash !== undefined && { 'x-ms-content-sha256': sign.contentHash }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...options.headers,
    },
  })
  for (const name of sign.drop ?? []) delete headers[name]
  return exchange(endpoint, { method, target, headers, payload })
}

interface PlainRequest {
  readonly method?: string
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly payload?: string
  /** Required name in the certificate; default: the endpoint's. */
  readonly servername?: string
}

export async function exchange(
  endpoint: string,
  { method = 'GET', target, headers = {}, payload = '', servername }: PlainRequest,
): Promise<WireResponse> {
  const { hostname, port } = new URL(endpoint)
  const outgoing = request({
    hostname,
    port,
    method,
    path: target,
    headers,
    agent: false,
    servername: servername ?? hostname,
  })
  outgoing.end(payload)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  const body = await text(response)
  return {
    status: response.statusCode!,
    headers: response.headers,
    text: body,
    json: body === '' ? undefined : (JSON.parse(body) as unknown),
  }
}

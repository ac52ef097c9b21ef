import { once } from 'node:events'
import * as http from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import * as https from 'node:https'
import { text } from 'node:stream/consumers'

export interface HttpRequest {
  readonly method: string
  /** Path and query, sent unchanged. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: Uint8Array | string
  /** Sends the body in chunks, without a Content-Length. */
  readonly isChunked?: boolean
}

export interface HttpResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

const responseTimeoutMs = 30_000

/**
 * Sends requests to one port of this machine over kept-alive connections: HTTPS with a `ca`, else HTTP. Adds only headers for
 * the host and the body's length to a request.
 */
export class HttpClient implements Disposable {
  readonly #agent: http.Agent
  readonly #send: typeof http.request
  readonly #port: number

  constructor(port: number, ca?: string) {
    const keepAlive = true
    this.#port = port
    this.#agent = ca ? new https.Agent({ keepAlive, ca, servername: 'localhost' }) : new http.Agent({ keepAlive })
    this.#send = ca ? https.request : http.request
  }

  /** Rejects if the connection ends before the response does. */
  async send({ method, path, headers = {}, body = '', isChunked = false }: HttpRequest): Promise<HttpResponse> {
    const framing = isChunked
      ? { 'transfer-encoding': 'chunked' }
      : { 'content-length': String(Buffer.byteLength(body)) }
    const request = this.#send({
      agent: this.#agent,
      host: '127.0.0.1',
      port: this.#port,
      method,
      path,
      setHost: headers['host'] === undefined,
      headers: { ...headers, ...framing },
      signal: AbortSignal.timeout(responseTimeoutMs),
    })
    request.end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return { status: response.statusCode!, headers: response.headers, text: await text(response) }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

/** Whether a request failed because its connection was refused or ended early. */
export function isConnectionError(error: unknown): boolean {
  return /^(?:ECONNREFUSED|ECONNRESET|EPIPE)$/.test((error as NodeJS.ErrnoException).code ?? '')
}

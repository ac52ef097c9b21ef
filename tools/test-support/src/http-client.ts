import { once } from 'node:events'
import * as http from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import * as https from 'node:https'

export interface HttpRequest {
  readonly method: string
  /** Path and query, sent as they are. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: Uint8Array | string
  /** In place of a Content-Length. */
  readonly isChunked?: boolean
}

export interface HttpResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

const answerLimitMs = 30_000

/**
 * HTTPS to one port of this machine, or HTTP without a `ca`, over connections that are kept. It adds nothing to a request
 * but its framing.
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

  /** Rejects when the connection ends before the answer does. */
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
      signal: AbortSignal.timeout(answerLimitMs),
    })
    request.end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
    return { status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

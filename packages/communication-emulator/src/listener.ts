import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { headerOf, type Answer, type Exchange } from './exchange.ts'
import { drawRandom } from './random.ts'

/** Larger bodies are refused: the largest request of the identity routes has a few hundred bytes. */
const maxBodyBytes = 256 * 1024
/** How much more is read and thrown away, so that the client gets to read its refusal. */
const maxDrainedBytes = 16 * 1024 * 1024
/** How long a stop waits for what is in flight. */
const closeGraceMs = 500

export interface ListenerOptions {
  readonly host: string
  readonly port: number
  readonly certificate: string
  readonly privateKey: string
  /** Answers a request; undefined cuts the connection. Must not throw. */
  readonly answer: (exchange: Exchange) => Promise<Answer | undefined>
}

/** One HTTPS port: reads requests whole, and writes answers with the headers that the service always sends. */
export class Listener implements AsyncDisposable {
  readonly #server: Server
  // The server itself forgets those that never finished their TLS handshake.
  readonly #sockets = new Set<Socket>()
  readonly port: number

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.port = (server.address() as AddressInfo).port
  }

  static async open({ host, port, certificate, privateKey, answer }: ListenerOptions): Promise<Listener> {
    // guess(http-errors): requests that are no good HTTP get Node's bare 400, 408, 417 or 431.
    const server = createServer({
      cert: certificate,
      key: privateKey,
      // A client that is slow to send must not hold a connection for ever.
      headersTimeout: 10_000,
      requestTimeout: 20_000,
      handshakeTimeout: 10_000,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 60_000,
    })
    server.on('request', (request, response) => {
      // Whatever goes wrong with one client must not end the others.
      respond(request, response, answer).catch(() => request.destroy())
    })
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    const listening = once(server, 'listening')
    server.listen(port, host)
    await listening
    return new Listener(server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    const timer = setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), closeGraceMs)
    await closed
    clearTimeout(timer)
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: ListenerOptions['answer'],
): Promise<void> {
  const start = performance.now()
  // A request that broke off has lost its socket.
  const { socket } = request
  const body = await readBody(request)
  if (body === undefined) return
  const target = request.url ?? '/'
  // A proxy may send the absolute form.
  const relative = target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/?]*/i, '')
  const [path, query = ''] = splitOnce(relative, '?')
  const exchange: Exchange = {
    method: request.method ?? 'GET',
    target,
    path,
    query: new URLSearchParams(query),
    headers: request.headers,
    body: body === 'too large' ? Buffer.alloc(0) : body,
    remoteAddress: socket.remoteAddress,
  }
  const answered = body === 'too large' ? tooLarge : await answer(exchange)
  if (answered === undefined || response.destroyed) {
    socket.destroy()
    return
  }
  write(response, exchange, answered, performance.now() - start)
}

/** The whole body; undefined when the client went away in the middle of it. */
function readBody(request: IncomingMessage): Promise<Buffer | 'too large' | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= maxBodyBytes) chunks.push(chunk)
      else if (length > maxDrainedBytes) request.destroy()
    })
    request.on('end', () => resolve(length > maxBodyBytes ? 'too large' : Buffer.concat(chunks)))
    request.on('error', () => resolve(undefined))
    request.on('close', () => resolve(undefined))
  })
}

// guess(body-limit)
const tooLarge: Answer = {
  status: 413,
  headers: { Connection: 'close' },
  body: {
    error: {
      code: 'RequestBodyTooLarge',
      message: 'The request body is too large and exceeds the maximum permissible limit.',
    },
  },
}

function write(
  response: ServerResponse,
  exchange: Exchange,
  { status, headers, body, html, isFromResourceManager = false }: Answer,
  elapsedMs: number,
): void {
  const clientRequestId = headerOf(exchange.headers, 'x-ms-client-request-id')
  const isError = status >= 400
  const text = body === undefined ? undefined : toAscii(JSON.stringify(body))
  const noise = drawRandom(48).toString('base64')
  // differs(hsts): Strict-Transport-Security would force every other program on localhost to HTTPS.
  response.writeHead(status, {
    ...(!isFromResourceManager && {
      'MS-CV': `${noise.slice(0, 22)}.0`,
      'Request-Context': 'appId=',
      'X-Processing-Time': `${Math.round(elapsedMs)}ms`,
      'X-Cache': 'CONFIG_NOCACHE',
      // guess(azure-ref): only that the front door sends such a reference.
      'X-Azure-Ref': noise.slice(22),
    }),
    ...(clientRequestId !== undefined && { 'x-ms-client-request-id': clientRequestId }),
    ...headers,
    ...(html !== undefined && {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': Buffer.byteLength(html),
    }),
    // The identity service sends errors chunked and without a charset, everything else has a length.
    ...(text !== undefined &&
      (isError && !isFromResourceManager
        ? {
            'Content-Type': 'application/json',
            ...(response.req.httpVersion !== '1.0' && { 'Transfer-Encoding': 'chunked' }),
          }
        : { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': text.length })),
  })
  if (html === undefined) response.end(text, 'latin1')
  else response.end(html)
}

/** Node writes headers and body as one string: in ASCII neither can spoil the other. */
function toAscii(json: string): string {
  // oxlint-disable-next-line no-control-regex -- the range is what ASCII is
  return json.replaceAll(/[^\x00-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function splitOnce(text: string, separator: string): [string, string?] {
  const index = text.indexOf(separator)
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)]
}

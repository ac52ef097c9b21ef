import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { createServer as createNetServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net'
import { getHeader, type RawResponse, type RawRequest } from './raw-request.ts'
import { drawRandom } from './random.ts'

/** Larger bodies are refused: the largest request of the identity routes has a few hundred bytes. */
const maxBodyBytes = 256 * 1024
/** How much more is read and thrown away, so that the client gets to read its refusal. */
const maxDrainedBytes = 16 * 1024 * 1024
/** How long a stop waits for what is in flight. */
const closeGraceMs = 500

/** Ports that are free on one loopback address and taken on the other are rare. */
const maxPortAttempts = 20

export interface ListenerOptions {
  /** Default: both loopback addresses, since `localhost` may be either. */
  readonly host?: string | undefined
  readonly port: number
  readonly certificate: string
  readonly privateKey: string
  /** Answers a request; undefined cuts the connection. Must not throw. */
  readonly handle: (request: RawRequest) => Promise<RawResponse | undefined>
}

/** One HTTPS port: reads requests whole, and writes answers with the headers that the service always sends. */
export class Listener implements AsyncDisposable {
  readonly #server: Server
  readonly #second: NetServer | undefined
  // The server itself forgets those that never finished their TLS handshake.
  readonly #sockets = new Set<Socket>()
  readonly port: number

  private constructor(server: Server, second: NetServer | undefined) {
    this.#server = server
    this.#second = second
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.port = (server.address() as AddressInfo).port
  }

  static async open({ host, port, certificate, privateKey, handle }: ListenerOptions): Promise<Listener> {
    // guess(http-errors): invalid HTTP requests get Node's bare 400, 408, 417 or 431.
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
      // Node checks that there is a Host, and takes the first of several.
      if (request.headersDistinct['host']?.[1] !== undefined) {
        response.writeHead(400, { Connection: 'close' }).end()
        return
      }
      // Whatever goes wrong with one client must not end the others.
      respond(request, response, handle).catch(() => request.destroy())
    })
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    if (host === undefined) return new Listener(server, await listenOnLoopback(server, port))
    await listen(server, port, host)
    return new Listener(server, undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.all([close(this.#server), this.#second && close(this.#second)])
    const timer = setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), closeGraceMs)
    await closed
    clearTimeout(timer)
  }
}

/** Returns the server that forwards connections on ::1; undefined on a machine without IPv6. Rejects as `listen` does. */
async function listenOnLoopback(server: Server, port: number): Promise<NetServer | undefined> {
  for (let attempt = 1; ; attempt++) {
    await listen(server, port, '127.0.0.1')
    const second = createNetServer({ noDelay: true }, (socket) => server.emit('connection', socket))
    try {
      await listen(second, (server.address() as AddressInfo).port, '::1')
      return second
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return undefined
      await close(server)
      if (code !== 'EADDRINUSE' || port !== 0 || attempt === maxPortAttempts) throw error
    }
  }
}

async function listen(server: NetServer, port: number, host: string): Promise<void> {
  const listening = once(server, 'listening')
  server.listen(port, host)
  await listening
}

function close(server: NetServer): Promise<unknown> {
  return new Promise((resolve) => server.close(resolve))
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  handle: ListenerOptions['handle'],
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
  const rawRequest: RawRequest = {
    method: request.method ?? 'GET',
    target,
    path,
    query: new URLSearchParams(query),
    headers: request.headers,
    body: body === 'too large' ? Buffer.alloc(0) : body,
    isBodyTooLarge: body === 'too large',
    remoteAddress: socket.remoteAddress,
  }
  const handled = await handle(rawRequest)
  if (handled === undefined || response.destroyed) {
    socket.destroy()
    return
  }
  write(response, rawRequest, handled, performance.now() - start)
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

function write(
  response: ServerResponse,
  rawRequest: RawRequest,
  { status, headers, body, html, isFromResourceManager = false }: RawResponse,
  elapsedMs: number,
): void {
  const clientRequestId = getHeader(rawRequest.headers, 'x-ms-client-request-id')
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

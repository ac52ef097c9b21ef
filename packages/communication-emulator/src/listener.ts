import { once } from 'node:events'
import { createServer } from 'node:https'
import { createServer as createNetServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RawRequest, RawResponse } from './raw-request.ts'
import { readRequest } from './read-request.ts'
import type { CertifiedKey } from './tls/certificates.ts'
import { writeResponse } from './write-response.ts'

/** Time for pending requests to complete when the listener closes. */
const closeGraceMs = 500

/** Attempts to find a port that is free on both loopback addresses; most ports are free on both or on neither. */
const maxPortAttempts = 20

export interface ListenerOptions extends CertifiedKey {
  /** Default: both loopback addresses, since `localhost` may resolve to either. */
  readonly host?: string | undefined
  /** Whether the default is all addresses instead. */
  readonly isShared: boolean
  readonly port: number
  /** Returns the response, or undefined to close the connection. Must not throw. */
  readonly handle: (request: RawRequest) => Promise<RawResponse | undefined>
  /** Accepts or rejects a WebSocket. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

export interface Listener extends AsyncDisposable {
  readonly port: number
}

/** Opens an HTTPS port. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { host, isShared, port, certificate, privateKey, handle, upgrade } = options
  // guess(http-errors): invalid HTTP requests get Node's bare 400, 408, 417 or 431.
  const server = createServer({
    cert: certificate,
    key: privateKey,
    // Slow clients must not hold connections open.
    headersTimeout: 10_000,
    requestTimeout: 20_000,
    handshakeTimeout: 10_000,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 60_000,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  })
  server.on('request', (request, response) => {
    // Node rejects a missing Host header, but uses the first of several.
    if (request.headersDistinct['host']?.[1] !== undefined) {
      response.writeHead(400, { Connection: 'close' }).end()
      return
    }
    // An error with one client must not affect the others.
    respond(request, response, handle).catch(() => request.destroy())
  })
  server.on('upgrade', upgrade)
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  // Tracked here, because the server does not track connections before their TLS handshake completes.
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  let second: NetServer | undefined
  if (host === undefined && !isShared) second = await listenOnLoopback(server, port)
  else await listen(server, port, host)
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), closeGraceMs)
      await Promise.all([close(server), second && close(second)])
      clearTimeout(timer)
    },
  }
}

/** Returns the server that forwards connections on ::1; undefined on a machine without IPv6. Rejects like `listen`. */
async function listenOnLoopback(server: NetServer, port: number): Promise<NetServer | undefined> {
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

async function listen(server: NetServer, port: number, host: string | undefined): Promise<void> {
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
  // Kept, because an aborted request loses its socket.
  const { socket } = request
  const rawRequest = await readRequest(request)
  if (rawRequest === undefined) return
  const rawResponse = await handle(rawRequest)
  if (rawResponse === undefined || response.destroyed) socket.destroy()
  else writeResponse(response, rawRequest, rawResponse, performance.now() - start)
}

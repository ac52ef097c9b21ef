import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { ChatUser } from './chat-user.ts'

/** Members of the session that a client of the service's signaling opens. */
interface TrouterSession {
  readonly socketio: string
  readonly surl: string
  readonly ccid: string
  readonly connectparams: Readonly<Record<string, string>>
}

/** An event as the service sends it, with the members that all events have. */
export interface ReceivedEvent {
  readonly eventId: number
  readonly groupId: string
  readonly [member: string]: unknown
}

export interface ChatConnectionOptions {
  readonly onEvent?: (event: ReceivedEvent) => void
  /** Default: responds to heartbeats and events, as the SDK does. */
  readonly responds?: boolean
}

const connectTimeoutMs = 30_000

/** A user's connection for events, opened with the requests that the JavaScript SDK sends, which has no client for Node. */
export class ChatConnection implements Disposable {
  readonly socket: WebSocket
  readonly #onEvent: (event: ReceivedEvent) => void
  readonly #responds: boolean
  readonly #connected = Promise.withResolvers<void>()

  private constructor(socket: WebSocket, { onEvent = () => {}, responds = true }: ChatConnectionOptions) {
    this.socket = socket
    this.#onEvent = onEvent
    this.#responds = responds
    socket.on('message', (data: Buffer) => this.#receive(data.toString()))
    // A server that ends a connection may reset it; `close` follows.
    socket.on('error', () => {})
    socket.once('close', (code) => this.#connected.reject(new Error(`the connection was closed with ${code}`)))
  }

  /** Resolves once the service sends events. */
  static async open(user: ChatUser, options: ChatConnectionOptions = {}): Promise<ChatConnection> {
    const url = await openSession(user)
    const { ca } = user.server
    const socket = new WebSocket(url, { ca, perMessageDeflate: false, handshakeTimeout: connectTimeoutMs })
    const connection = new ChatConnection(socket, options)
    await connection.#connected.promise
    return connection
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN
  }

  /** Resolves once the server has closed the connection. */
  async closed(timeoutMs: number): Promise<void> {
    if (this.isOpen) await once(this.socket, 'close', { signal: AbortSignal.timeout(timeoutMs) })
  }

  [Symbol.dispose](): void {
    this.socket.terminate()
  }

  #receive(text: string): void {
    if (text.startsWith('5:::{"name":"trouter.connected"')) this.#connected.resolve()
    if (!this.#responds) return
    if (text.startsWith('2::')) this.socket.send('2::')
    if (!text.startsWith('3:::')) return
    const { id, body } = JSON.parse(text.slice(4)) as { id: number; body: string }
    this.socket.send(`3:::${JSON.stringify({ id, status: 200, headers: {}, body: '' })}`)
    this.#onEvent(JSON.parse(body) as ReceivedEvent)
  }
}

/** Opens a session and registers for events. Returns the address of the WebSocket of the session. */
export async function openSession(user: ChatUser): Promise<URL> {
  const epid = randomUUID()
  const session = JSON.parse(await sendSignaling(user, 'POST', `/v4/a?epid=${epid}`)) as TrouterSession
  const { socketio, surl, ccid, connectparams } = session
  const query = new URLSearchParams({ ...connectparams, v: 'v4', timeout: '40', auth: 'true', epid, ccid }).toString()
  const [id] = (await sendSignaling(user, 'GET', `/socket.io/1/?${query}`)).split(':')
  await sendSignaling(user, 'POST', '/v3/registrations', {
    clientDescription: { appId: 'AcsWeb', platform: 'SPOOL', templateKey: 'AcsWeb_Chat_2.1' },
    registrationId: epid,
    transports: { TROUTER: [{ context: '', path: surl, ttl: 7200 }] },
  })
  return new URL(`socket.io/1/websocket/${id}?${query}`, socketio.replace(/^http/, 'ws'))
}

async function sendSignaling(
  { server, token }: ChatUser,
  method: string,
  path: string,
  content?: object,
): Promise<string> {
  const headers = { 'x-skypetoken': token, 'content-type': content ? 'application/json' : 'text/plain' }
  const body = content && JSON.stringify(content)
  const { status, text } = await server.client.send({ method, path, headers, ...(body && { body }) })
  if (status < 300) return text
  throw new Error(`unexpected response to ${method} ${path}: ${status} ${text}`)
}

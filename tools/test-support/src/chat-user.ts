import { randomUUID } from 'node:crypto'
import type { HttpClient } from './http-client.ts'
import { signedHeaders } from './signed-request.ts'

/** Emulator or service to which the requests of users go. */
export interface ChatServer {
  readonly client: HttpClient
  readonly host: string
  readonly ca: string
  readonly accessKey: string | undefined
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

const identityVersion = 'api-version=2023-10-01'
const chatVersion = 'api-version=2025-03-15'

/** A user with an access token, who sends requests to chat without an SDK, which would take most of the measured time. */
export class ChatUser {
  /** Changes when the server restarts at another port. */
  server: ChatServer
  readonly id: string
  readonly token: string

  constructor(server: ChatServer, id: string, token: string) {
    this.server = server
    this.id = id
    this.token = token
  }

  static async create(server: ChatServer, scope = 'chat'): Promise<ChatUser> {
    const { client, host, accessKey = '' } = server
    const request = {
      method: 'POST',
      path: `/identities?${identityVersion}`,
      body: JSON.stringify({ createTokenWithScopes: [scope] }),
    }
    const headers = { ...signedHeaders({ ...request, host, accessKey }), 'content-type': 'application/json' }
    const { status, text } = await client.send({ ...request, headers })
    if (status !== 201) throw new Error(`no identity was created: ${status} ${text}`)
    const { identity, accessToken } = JSON.parse(text) as { identity: { id: string }; accessToken: { token: string } }
    return new ChatUser(server, identity.id, accessToken.token)
  }

  /** Identifier in a request body. */
  get identifier() {
    return { rawId: this.id, communicationUser: { id: this.id } }
  }

  /** Returns a request to a path below `/chat/threads`. */
  toRequest(method: Method, path: string, content?: object, headers: Record<string, string> = {}) {
    return {
      method,
      path: `/chat/threads${path}?${chatVersion}`,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json', ...headers },
      body: content === undefined ? '' : JSON.stringify(content),
    }
  }

  /** Sends a request to a path below `/chat/threads`. Throws unless it succeeds. */
  async send(method: Method, path: string, content?: object, headers?: Record<string, string>): Promise<string> {
    const { status, text } = await this.server.client.send(this.toRequest(method, path, content, headers))
    if (status < 300) return text
    throw new Error(`unexpected response to ${method} ${path}: ${status} ${text}`)
  }

  /** Creates a thread with other participants and returns its id. A repeated creation has the id of the first one. */
  async createThread(
    topic: string,
    others: readonly ChatUser[] = [],
    repeatabilityId: string = randomUUID(),
  ): Promise<string> {
    const participants = others.map(({ identifier }) => ({ communicationIdentifier: identifier }))
    const headers = { 'repeatability-request-id': repeatabilityId }
    const text = await this.send('POST', '', { topic, participants }, headers)
    return (JSON.parse(text) as { chatThread: { id: string } }).chatThread.id
  }

  /** Sends a text message and returns its id. */
  async sendMessage(threadId: string, content: string): Promise<string> {
    return (JSON.parse(await this.send('POST', `/${threadId}/messages`, { content })) as { id: string }).id
  }
}

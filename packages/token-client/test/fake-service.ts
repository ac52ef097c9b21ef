import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { listenLocally } from '@acs-kit/test-support/local-server'
import type { Clock, TokenResponse } from '../src/index.ts'

/** Failure of a request. */
export type Fault =
  | 'reset'
  | 'hang'
  /** The service returns an expired token. */
  | 'stale'
  /** A proxy responds in place of the service. */
  | 'gateway'
  | { readonly status: number; readonly code: string; readonly retryAfter?: number | string }

export interface ReceivedRequest {
  readonly at: number
  readonly route: string
  readonly user: string
  readonly body: { readonly refresh?: boolean; readonly scopes?: readonly string[] }
}

const lifetimeMs = 24 * 3600_000
const minRemainingMs = 20 * 60_000

/** Token service that fails on demand and caches tokens like the real one. */
export class FakeService {
  readonly requests: ReceivedRequest[] = []
  /** Returns the failure of the next request, if any. */
  faults: (at: number) => Fault | undefined = () => undefined
  readonly expiredSignInTokens = new Set<string>()
  /** Time until the response. */
  latencyMs = 0
  readonly #clock: Clock
  readonly #cache = new Map<string, TokenResponse>()
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Replaces the platform's `fetch`. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const { signal } = request
    if (this.latencyMs > 0) await this.#wait(this.latencyMs, signal)
    const at = this.#clock.now()
    const fault = this.faults(at)
    if (fault === 'reset') throw new TypeError('fetch failed')
    if (fault === 'hang') await this.#wait(Infinity, signal)
    const { status, headers, body } = await this.#respond(request, fault)
    return new Response(body === undefined ? null : JSON.stringify(body), {
      status,
      headers: { Date: new Date(Math.floor(at / 1000) * 1000).toUTCString(), ...headers },
    })
  }

  /** Listens on a socket, for other processes and pages. */
  async listen(): Promise<{ readonly url: string } & AsyncDisposable> {
    const cors = {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Headers': 'authorization, content-type',
      'Access-Control-Expose-Headers': 'date',
    }
    const respond = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
      if (incoming.method === 'OPTIONS') return outgoing.writeHead(204, cors).end()
      const body = await text(incoming)
      const response = await this.fetch(`http://service${incoming.url}`, {
        method: incoming.method!,
        headers: { authorization: incoming.headers.authorization ?? '' },
        ...(body !== '' && { body }),
      })
      outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), ...cors })
      return outgoing.end(await response.text())
    }
    const server = createServer((incoming, outgoing) => void respond(incoming, outgoing))
    const local = await listenLocally(server)
    return { url: `http://127.0.0.1:${local.port}`, [Symbol.asyncDispose]: () => local[Symbol.asyncDispose]() }
  }

  async #respond(
    request: Request,
    fault: Fault | undefined,
  ): Promise<{ status: number; headers?: Record<string, string>; body?: unknown }> {
    const route = `${request.method} ${new URL(request.url).pathname}`
    const signInToken = request.headers.get('authorization')!.replace('Bearer ', '')
    const content = await request.text()
    const body = (content === '' ? {} : JSON.parse(content)) as ReceivedRequest['body']
    const user = getUser(signInToken)
    this.requests.push({ at: this.#clock.now(), route, user, body })
    if (fault === 'gateway')
      return { status: 502, headers: { 'Content-Type': 'text/html' }, body: '<h1>Bad gateway</h1>' }
    if (typeof fault === 'object') return createProblem(fault)
    if (this.expiredSignInTokens.has(signInToken)) return createProblem({ status: 401, code: 'token-expired' })
    const key = `${user} ${JSON.stringify(body.scopes ?? null)}`
    if (route !== 'POST /v1/token') {
      for (const cachedKey of this.#cache.keys()) if (cachedKey.startsWith(`${user} `)) this.#cache.delete(cachedKey)
      return { status: 204 }
    }
    const now = this.#clock.now()
    const cached = this.#cache.get(key)
    if (fault !== 'stale' && !body.refresh && cached && Date.parse(cached.expiresOn) - now > minRemainingMs) {
      return { status: 200, body: cached }
    }
    const token: TokenResponse = {
      communicationUserId: `8:acs:resource_${user}`,
      token: `${user}-${++this.#count}`,
      expiresOn: new Date(fault === 'stale' ? now - 1000 : now + lifetimeMs).toISOString(),
      scopes: ['chat', 'voip'],
      endpoint: 'https://resource.communication.azure.com/',
    }
    if (fault !== 'stale') this.#cache.set(key, token)
    return { status: 200, headers: { 'Content-Type': 'application/json' }, body: token }
  }

  #wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
      if (milliseconds < Infinity) this.#clock.after(milliseconds, resolve)
    })
  }
}

function createProblem({ status, code, retryAfter }: { status: number; code: string; retryAfter?: number | string }) {
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    },
    body: { type: `urn:problem-type:acs-kit:${code}`, title: 'It failed', status, code, requestId: 'request-1' },
  }
}

/** Creates a sign-in token with the claims that the client reads. */
export function createSignInToken(user: string, serial = 0): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ alg: 'none' })}.${encode({ iss: 'https://sign-in.example', sub: user, serial })}.x`
}

function getUser(signInToken: string): string {
  return (JSON.parse(Buffer.from(signInToken.split('.')[1]!, 'base64url').toString()) as { sub: string }).sub
}

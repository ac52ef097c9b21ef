import { setTimeout as sleep } from 'node:timers/promises'
import { retryAfterSeconds } from '@acs-kit/communication-identity'
import { isLoopback, parseJson } from '@acs-kit/service-settings'
import type { ThrowAwayPrincipal } from './throw-away-principals.ts'

export interface DeployedServiceOptions {
  /** Ends waiting, but no request: what was begun can be cleaned up. */
  readonly signal: AbortSignal
  readonly onWait: (seconds: number) => void
}

const deadlineSeconds = 30
/** Longer than the minute in which the service counts requests. */
const maxWaitSeconds = 90

/** A token service anywhere, looked at from outside. */
export class DeployedService {
  readonly url: string
  readonly #options: DeployedServiceOptions
  #pause: Promise<void> | undefined

  /** Throws unless sign-in tokens may travel to the address. */
  constructor(address: string, options: DeployedServiceOptions) {
    this.url = readAddress(address).href.replace(/\/$/, '')
    this.#options = options
  }

  /** Comes back when the service asks for that, as clients do: its limits are no fault. */
  fetch: typeof globalThis.fetch = async (input, init) => {
    for (let waited = 0; ;) {
      const response = await this.#answer(input, init)
      const now = Date.parse(response.headers.get('Date') ?? '') || Date.now()
      const seconds = retryAfterSeconds(response.headers.get('Retry-After'), now) ?? 1
      waited += seconds
      if (response.status !== 429 || waited > maxWaitSeconds) return response
      await response.body?.cancel()
      // The same for all who are told at once.
      await (this.#pause ??= this.#wait(seconds))
    }
  }

  /** Throws unless a token service is there: before any sign-in token travels. */
  async expectTokenService(): Promise<void> {
    const { status, type, code } = await this.#ask('GET')
    if (code !== undefined) return
    const reason = status < 500 ? 'is the address right?' : 'is the service up?'
    throw new Error(`no token service answers at ${this.url}, but something with ${status} and ${type}; ${reason}`)
  }

  /** Throws unless the service knows who it is. */
  async hasIdentity({ variable, token }: ThrowAwayPrincipal): Promise<boolean> {
    const { status, code, detail } = await this.#ask('GET', token)
    if (status === 200) return true
    if (status === 404 && code === 'identity-unknown') return false
    if (code === 'token-expired') throw new Error(`the token in ${variable} has expired: get a new one`)
    const words = [status, code, detail].filter(Boolean).join(', ')
    if (status === 401 || status === 403) throw new Error(`the service refuses the token in ${variable}: ${words}`)
    throw new Error(`GET /v1/identity was answered with ${words}`)
  }

  /** Throws unless there is none any more. */
  async deleteIdentity(principal: ThrowAwayPrincipal): Promise<void> {
    const { status } = await this.#ask('DELETE', principal.token)
    if (status === 204 || status === 202) if (!(await this.hasIdentity(principal))) return
    throw new Error(
      `the principal in ${principal.variable} may still have an identity: its deletion was answered with ${status}`,
    )
  }

  async #ask(method: 'GET' | 'DELETE', token?: string) {
    const response = await this.fetch(`${this.url}/v1/identity`, {
      method,
      ...(token !== undefined && { headers: { Authorization: `Bearer ${token}` } }),
    })
    const type = response.headers.get('Content-Type') ?? 'no Content-Type'
    const text = await response.text()
    const problem = type.startsWith('application/problem+json') ? parseJson(text) : {}
    return { status: response.status, type, code: stringIn(problem, 'code'), detail: stringIn(problem, 'detail') }
  }

  async #answer(...[input, init]: Parameters<typeof globalThis.fetch>): Promise<Response> {
    try {
      const signal = AbortSignal.timeout(deadlineSeconds * 1000)
      return await globalThis.fetch(input, { ...init, redirect: 'manual', signal })
    } catch (cause) {
      throw new Error(`${this.url} can’t be reached: ${reasonOf(cause)}`, { cause })
    }
  }

  async #wait(seconds: number): Promise<void> {
    const { onWait, signal } = this.#options
    try {
      signal.throwIfAborted()
      onWait(seconds)
      await sleep(seconds * 1000, undefined, { signal }).catch(() => signal.throwIfAborted())
    } finally {
      this.#pause = undefined
    }
  }
}

function readAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new Error(`${text} is no address of a service: write one such as https://tokens.example.com`)
  if (url.username || url.password || url.search || url.hash)
    throw new Error('the address must have no user, password, query or fragment')
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return url
  throw new Error(
    `${text} is not encrypted, and sign-in tokens would travel there: write https; http only for this machine`,
  )
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error
  const { code, message: inner } = (cause ?? {}) as NodeJS.ErrnoException
  if (name === 'TimeoutError') return `no answer in ${deadlineSeconds} seconds`
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ENOTFOUND') return 'there is no such host'
  return inner || code || message
}

function stringIn(value: unknown, name: string): string | undefined {
  const member: unknown = (value as Record<string, unknown> | null | undefined)?.[name]
  return typeof member === 'string' ? member : undefined
}

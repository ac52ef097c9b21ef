import { setTimeout as sleep } from 'node:timers/promises'
import { toBaseUrl } from '../base-url.ts'
import { parseJson } from '../conformance/json.ts'
import { retryAfterSeconds } from '../retry-after.ts'
import type { TestPrincipal } from './test-principals.ts'

export interface DeployedServiceOptions {
  /** Ends the waits, but no request: the clean-up still needs them. */
  readonly signal: AbortSignal
  readonly onWait: (seconds: number) => void
}

const timeoutSeconds = 30
/** Longer than the minute in which the service counts requests. */
const maxWaitSeconds = 90

/** Token service at any address, used over HTTP. */
export class DeployedService {
  readonly url: string
  readonly #options: DeployedServiceOptions
  #pause: Promise<void> | undefined

  /** Throws unless the URL is valid and secure. */
  constructor(url: string, options: DeployedServiceOptions) {
    this.url = parseUrl(url).href.replace(/\/$/, '')
    this.#options = options
  }

  /** Retries after 429, like a real client. */
  fetch: typeof globalThis.fetch = async (input, init) => {
    for (let waitedSeconds = 0; ;) {
      const response = await this.#fetchOnce(input, init)
      const responseTime = Date.parse(response.headers.get('Date') ?? '') || Date.now()
      const seconds = retryAfterSeconds(response.headers.get('Retry-After'), responseTime) ?? 1
      waitedSeconds += seconds
      if (response.status !== 429 || waitedSeconds > maxWaitSeconds) return response
      await response.body?.cancel()
      // Concurrent requests share the pause.
      await (this.#pause ??= this.#wait(seconds))
    }
  }

  /** Throws unless the URL is a token service. Sends no token. */
  async assertTokenService(): Promise<void> {
    const { status, type, code } = await this.#send('GET')
    if (code !== undefined) return
    const remedy = status < 500 ? 'check the URL' : 'check whether the service is running'
    throw new Error(`${this.url} is not a token service (got ${status} ${type}): ${remedy}`)
  }

  /** Throws unless the service accepts the principal's token. */
  async hasIdentity({ variable, token }: TestPrincipal): Promise<boolean> {
    const { status, code, detail } = await this.#send('GET', token)
    if (status === 200) return true
    if (status === 404 && code === 'identity-unknown') return false
    if (code === 'token-expired') throw new Error(`token in ${variable} has expired: sign in again`)
    const reason = [status, code, detail].filter(Boolean).join(', ')
    if (status === 401 || status === 403) throw new Error(`token in ${variable} rejected by the service: ${reason}`)
    throw new Error(`GET /v1/identity failed: ${reason}`)
  }

  /** Throws unless the principal has no identity afterwards. */
  async deleteIdentity(principal: TestPrincipal): Promise<void> {
    const { status } = await this.#send('DELETE', principal.token)
    if (status === 204 || status === 202) if (!(await this.hasIdentity(principal))) return
    throw new Error(
      `identity of the principal in ${principal.variable} may still exist: DELETE /v1/identity returned ${status}`,
    )
  }

  async #send(method: 'GET' | 'DELETE', token?: string) {
    const response = await this.fetch(`${this.url}/v1/identity`, {
      method,
      ...(token !== undefined && { headers: { Authorization: `Bearer ${token}` } }),
    })
    const type = response.headers.get('Content-Type') ?? 'without Content-Type'
    const text = await response.text()
    const problem = type.startsWith('application/problem+json') ? parseJson(text) : undefined
    return { status: response.status, type, code: getString(problem, 'code'), detail: getString(problem, 'detail') }
  }

  async #fetchOnce(...[input, init]: Parameters<typeof globalThis.fetch>): Promise<Response> {
    try {
      const signal = AbortSignal.timeout(timeoutSeconds * 1000)
      return await globalThis.fetch(input, { ...init, redirect: 'manual', signal })
    } catch (cause) {
      throw new Error(`${this.url} is unreachable: ${toReason(cause)}`, { cause })
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

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new Error(`invalid URL ${text}: pass one such as https://tokens.example.com`)
  // The parts may be secret, so the message does not repeat the URL.
  if (url.username || url.password || url.search || url.hash)
    throw new Error('invalid URL: remove user, password, query and fragment')
  try {
    toBaseUrl(url)
    return url
  } catch {
    throw new Error(`insecure URL ${text}: use https to protect sign-in tokens (http is for this machine only)`)
  }
}

function toReason(error: unknown): string {
  const { name, message, cause } = error as Error
  const { code, message: inner } = (cause ?? {}) as Error & { readonly code?: string }
  if (name === 'TimeoutError') return `no response in ${timeoutSeconds} seconds`
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ENOTFOUND') return 'unknown host'
  return inner || code || message
}

function getString(value: unknown, name: string): string | undefined {
  const member: unknown = (value as Record<string, unknown> | null | undefined)?.[name]
  return typeof member === 'string' ? member : undefined
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Emulator } from '@acs-kit/communication-emulator'

const pauseMs = 250
const knownUsers = 10

export interface TokenResult {
  readonly token?: string
  /** Reason why the response is not a token. */
  readonly rejection?: string
}

/** Users who request tokens all the time, one after the other, and use each token until it expires. */
export class TokenUsers implements AsyncDisposable {
  readonly #emulator: Emulator
  readonly #url: string
  /** Valid tokens with the access key that issued each. */
  readonly #tokens = new Map<string, string | undefined>()
  #stopping = new AbortController()
  #running = Promise.resolve()
  #count = 0
  readonly rejections: string[] = []
  /** Access keys of the tokens that ended before they expired. */
  readonly endedEarly: (string | undefined)[] = []

  constructor(emulator: Emulator, url: string) {
    this.#emulator = emulator
    this.#url = url
  }

  start(): void {
    this.#stopping = new AbortController()
    this.#running = this.#run(this.#stopping.signal)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async request(user: string): Promise<TokenResult> {
    try {
      const { accessToken } = await this.#emulator.entra.signIn({ user })
      const headers = { Authorization: `Bearer ${accessToken}` }
      const response = await fetch(new URL('/v1/token', this.#url), { method: 'POST', headers })
      const text = await response.text()
      return response.ok ? (JSON.parse(text) as { token: string }) : { rejection: `${response.status} ${text}` }
    } catch (error) {
      return { rejection: String((error as Error).cause ?? error) }
    }
  }

  /** Records the tokens that have ended early. Call it before moving the clock: expired tokens no longer count. */
  checkTokens(): void {
    for (const [token, key] of this.#tokens) {
      const { state, expiresOn } = this.#emulator.introspect(token)
      const isExpired = expiresOn!.getTime() <= this.#emulator.clock.now()
      if (!isExpired && state === 'valid') continue
      if (!isExpired) this.endedEarly.push(key)
      this.#tokens.delete(token)
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#count++
      // A user whose token is cached, and a new one.
      for (const user of [`known-${this.#count % knownUsers}`, `new-${this.#count}`]) {
        const { token, rejection } = await this.request(user)
        if (rejection !== undefined) this.rejections.push(rejection)
        if (token !== undefined) this.#tokens.set(token, this.#emulator.introspect(token).accessKey)
      }
      await sleep(pauseMs)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

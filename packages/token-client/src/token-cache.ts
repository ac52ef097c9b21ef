import { systemClock, type Clock } from './clock.ts'
import { TokenError } from './token-error.ts'
import type { AccessToken, GetTokenOptions, TokenRequest, TokenSource, TokenSourceOptions } from './token-source.ts'

export interface FetchContext {
  readonly signal: AbortSignal
  /** An earlier token was invalidated: one from a cache will not do. */
  readonly refresh: boolean
  /**
   * Tells whom the token is for, as soon as it is known: everything that was kept for somebody else is dropped. Returns
   * whether it is still the one from before.
   */
  readonly identify: (person: string) => boolean
}

export type FetchToken<Token> = (request: TokenRequest, context: FetchContext) => Promise<Token>

interface Entry<Token> {
  readonly request: TokenRequest
  readonly key: string
  /** A former token was invalidated: the next has to be a new one. */
  mustRenew: boolean
  token?: Token | undefined
  expiresAt: number
  /** When to refresh; after a failure, when to try again. */
  dueAt: number
  failures: number
  lastError?: unknown
  flight?: Promise<Token> | undefined
  /** Ends the flight. */
  controller?: AbortController
}

/** What there is in a page, and not in Node. */
type Page = EventTarget & { readonly document: EventTarget }

const minuteMs = 60_000
/** The service hands out no cached token with less than 20 minutes left, so there is a new one from then on. */
const refreshAheadMs = { earliest: 19.5 * minuteMs, latest: 15 * minuteMs }
/** Timers stand still while a machine sleeps: the clock is looked at this often. */
const longestTimerMs = 30_000
/** Longer than the service takes at the worst. */
const attemptTimeoutMs = 15_000
/** How long somebody who has no token may wait for one, across retries. */
const waitLimitMs = 30_000
/** The longest is shorter than the wait, so that only the service's wish can let it end at once. */
const backOffMs = { first: 1000, longest: 20_000 }

/** Keeps a token for each distinct request, and keeps it fresh. */
export class TokenCache<Token extends AccessToken> implements TokenSource<Token> {
  readonly #fetchToken: FetchToken<Token>
  readonly #options: TokenSourceOptions<Token>
  readonly #clock: Clock
  readonly #random: () => number
  readonly #entries = new Map<string, Entry<Token>>()
  #person: string | undefined
  #isInvalidated = false
  #callOffTimer: (() => void) | undefined
  readonly #disposal = new AbortController()

  constructor(fetchToken: FetchToken<Token>, options: TokenSourceOptions<Token>) {
    this.#fetchToken = fetchToken
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? Math.random
    const page = globalThis as Partial<Page>
    if (!page.document) return
    // Time may have passed unnoticed, and what failed may succeed now.
    const { signal } = this.#disposal
    const wake = () => this.#wake(true)
    page.document.addEventListener('visibilitychange', wake, { signal })
    page.addEventListener?.('online', wake, { signal })
  }

  async getToken({ signal, ...request }: GetTokenOptions = {}): Promise<Token> {
    this.#disposal.signal.throwIfAborted()
    const entry = this.#entryOf(request)
    const now = this.now()
    if (entry.token && now < entry.expiresAt) {
      if (now >= entry.dueAt) this.#refreshInBackground(entry)
      return entry.token
    }
    return this.#waitForToken(request, now + waitLimitMs, signal)
  }

  /** What is kept, and what is on its way, counts no more: the next token has to be a new one. */
  invalidate(): void {
    this.#dropAll(new TokenError('invalidated', 'The token was invalidated.'))
    this.#isInvalidated = true
  }

  /** A token for the same person that was fetched elsewhere. */
  accept(request: TokenRequest, token: Token): void {
    if (this.#isUsable(token)) this.#keep(this.#entryOf(request), token)
  }

  now(): number {
    return this.#clock.now()
  }

  dispose(): void {
    const error = new TokenError('disposed', 'The source was disposed.')
    this.#disposal.abort(error)
    this.#dropAll(error)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #wake(isRetry = false): void {
    const now = this.now()
    for (const entry of this.#entries.values()) {
      if (isRetry && entry.lastError) entry.dueAt = now
      if (now >= entry.expiresAt) entry.token = undefined
      else if (now >= entry.dueAt) this.#refreshInBackground(entry)
    }
    this.#schedule()
  }

  #entryOf(request: TokenRequest): Entry<Token> {
    const { scopes, expiresInMinutes = '' } = request
    const names = scopes && [...new Set(scopes)].toSorted()
    const key = `${names ? names.join() : 'all'} ${expiresInMinutes}`
    let entry = this.#entries.get(key)
    if (!entry) {
      entry = {
        request: names ? { ...request, scopes: names } : request,
        key,
        mustRenew: this.#isInvalidated,
        expiresAt: 0,
        dueAt: 0,
        failures: 0,
      }
      this.#entries.set(key, entry)
    }
    return entry
  }

  /** For those who have none: what is transient is tried again until the deadline. */
  async #waitForToken(request: TokenRequest, deadline: number, signal: AbortSignal | undefined): Promise<Token> {
    const person = this.#person
    let isOvertaken = false
    const wait = <T>(promise: Promise<T>) => abortable(abortable(promise, signal), this.#disposal.signal)
    for (;;) {
      const entry = this.#entryOf(request)
      if (isTransient(entry.lastError) && !entry.flight && entry.dueAt > this.now()) {
        if (entry.dueAt > deadline) throw entry.lastError
        let callOff: (() => void) | undefined
        const pause = new Promise<void>((resolve) => {
          callOff = this.#clock.after(entry.dueAt - this.now(), resolve)
        })
        await wait(pause).finally(callOff)
        continue
      }
      try {
        const token = await wait(this.#refresh(entry))
        if (!isOvertaken || person === this.#person) return token
        throw new TokenError('invalidated', 'Another user signed in.')
      } catch (error) {
        if (isTransient(error)) continue
        // Once more, but only for the user for whom it was asked.
        isOvertaken = error instanceof TokenError && error.code === 'invalidated'
        if (!isOvertaken || person === undefined || person !== this.#person) throw error
      }
    }
  }

  #refreshInBackground(entry: Entry<Token>): void {
    if (entry.flight) return
    this.#refresh(entry).catch((error: unknown) => {
      if (!this.#disposal.signal.aborted) this.#options.onError?.(error)
    })
  }

  /** One attempt, shared by all who wait. */
  #refresh(entry: Entry<Token>): Promise<Token> {
    if (entry.flight) return entry.flight
    const flight = this.#attempt(entry).finally(() => {
      if (entry.flight === flight) entry.flight = undefined
      this.#schedule()
    })
    return (entry.flight = flight)
  }

  async #attempt(entry: Entry<Token>): Promise<Token> {
    const controller = (entry.controller = new AbortController())
    const { signal } = controller
    const callOff = this.#clock.after(attemptTimeoutMs, () =>
      controller.abort(new TokenError('timeout', 'The token took too long.')),
    )
    const identify = (person: string): boolean => {
      const isSame = person === this.#person
      if (!isSame && !signal.aborted) {
        if (this.#person !== undefined) this.#dropAll(new TokenError('invalidated', 'Another user signed in.'), entry)
        this.#isInvalidated = false
        this.#person = person
      }
      return isSame
    }
    try {
      const { request, mustRenew: refresh } = entry
      const token = await abortable(this.#fetchToken(request, { signal, refresh, identify }), signal)
      signal.throwIfAborted()
      if (!this.#isUsable(token)) {
        entry.mustRenew = true
        const seconds = Math.round((this.now() - Date.parse(token.expiresOn)) / 1000)
        throw new TokenError('token-stale', `The token ended ${seconds} seconds ago. Is the clock right?`)
      }
      this.#keep(entry, token)
      return token
    } catch (error) {
      this.#postpone(entry, error)
      throw error
    } finally {
      callOff()
    }
  }

  #isUsable({ expiresOn }: Token): boolean {
    return Date.parse(expiresOn) > this.now()
  }

  #keep(entry: Entry<Token>, token: Token): void {
    const { onToken } = this.#options
    const { earliest, latest } = refreshAheadMs
    const now = this.now()
    const left = Date.parse(token.expiresOn) - now
    // A short one is used for about half its time. Jitter keeps apart those who got theirs together.
    const ahead = Math.min(latest + this.#random() * (earliest - latest), left * (0.4 + 0.2 * this.#random()))
    const isNew = token.token !== entry.token?.token
    entry.token = token
    entry.expiresAt = now + left
    entry.dueAt = entry.expiresAt - ahead
    entry.failures = 0
    entry.lastError = undefined
    entry.mustRenew = false
    this.#schedule()
    if (onToken && isNew) queueMicrotask(() => onToken(token))
  }

  #postpone(entry: Entry<Token>, error: unknown): void {
    const backOff = Math.min(backOffMs.first * 2 ** entry.failures, backOffMs.longest) * (0.5 + 0.5 * this.#random())
    const asked = error instanceof TokenError ? (error.retryAfter ?? 0) * 1000 : 0
    entry.failures++
    entry.lastError = error
    entry.dueAt = this.now() + Math.max(backOff, asked)
  }

  /** All but the one that found out. */
  #dropAll(error: TokenError, kept?: Entry<Token>): void {
    for (const entry of this.#entries.values()) if (entry !== kept) entry.controller?.abort(error)
    this.#entries.clear()
    if (kept) this.#entries.set(kept.key, kept)
    this.#callOffTimer?.()
  }

  #schedule(): void {
    this.#callOffTimer?.()
    let delay = Infinity
    for (const { token, flight, dueAt } of this.#entries.values()) {
      if (token && !flight) delay = Math.min(delay, Math.max(0, dueAt - this.now()), longestTimerMs)
    }
    if (delay < Infinity) this.#callOffTimer = this.#clock.after(delay, () => this.#wake(), true)
  }
}

/** The promise, unless the signal ends the waiting first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    // The signals of older Azure libraries have no reason.
    const abort = () => reject((signal.reason as Error) ?? new DOMException('Aborted', 'AbortError'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function isTransient(error: unknown): boolean {
  return error instanceof TokenError && error.isTransient
}

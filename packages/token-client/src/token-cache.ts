import { abort, abortable, throwIfAborted } from './abort.ts'
import { leastSkewMs, systemClock, type Clock } from './clock.ts'
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
  /** A former token was invalidated: the next has to be a new one. */
  mustRenew: boolean
  /** For whom it was last asked. */
  person?: string
  token?: Token | undefined
  /** By the service's time, as is when to refresh. */
  expiresAt: number
  refreshAt: number
  /** By this machine's clock: the last attempt, if it failed, and how long to wait from then on. */
  failedAt: number
  pauseMs: number
  failures: number
  lastError?: unknown
  flight?: Promise<Token> | undefined
  /** Ends the flight. */
  controller?: AbortController
}

/** What there is in a page, and not in Node. */
type Page = EventTarget & {
  readonly document: EventTarget & { readonly visibilityState: string }
  reportError(error: unknown): void
}

const page = globalThis as Partial<Page>
const minuteMs = 60_000
/** The service hands out no cached token with less than 20 minutes left, so there is a new one from then on. */
const refreshAheadMs = 15 * minuteMs
const maxJitterMs = 4.5 * minuteMs
/** Timers stand still while a machine sleeps: the clock is looked at this often. */
const longestTimerMs = 30_000
/** Longer than the service takes at the worst. */
const attemptTimeoutMs = 15_000
/** How long somebody who has no token may wait for the next attempt, across retries. */
const waitLimitMs = 30_000
const firstPauseMs = 1000
/** Shorter than the wait, so that only a pause that the service asked for can end it at once. */
const maxPauseMs = 20_000
const maxRequestedPauseMs = 5 * minuteMs

/** Keeps a token for each distinct request, and keeps it fresh. In one file, since every rule of it reads and writes the same entry. */
export class TokenCache<Token extends AccessToken> implements TokenSource<Token> {
  readonly #fetchToken: FetchToken<Token>
  readonly #options: TokenSourceOptions<Token>
  readonly #clock: Clock
  readonly #random: () => number
  readonly #entries = new Map<string, Entry<Token>>()
  /** Whose tokens these are; unknown after they were invalidated. */
  #person: string | undefined
  #lastPerson: string | undefined
  #isInvalidated = false
  #latest = 0
  #callOffTimer: (() => void) | undefined
  readonly #disposal = new AbortController()

  constructor(fetchToken: FetchToken<Token>, options: TokenSourceOptions<Token>) {
    this.#fetchToken = fetchToken
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? Math.random
    const { signal } = this.#disposal
    // Time may have passed unnoticed, and what failed may succeed now.
    const wake = () => page.document?.visibilityState === 'hidden' || this.#wake(true)
    page.document?.addEventListener('visibilitychange', wake, { signal })
    if (page.document) page.addEventListener?.('online', wake, { signal })
  }

  async getToken({ signal, ...request }: GetTokenOptions = {}): Promise<Token> {
    throwIfAborted(this.#disposal.signal)
    this.#noticeJump()
    const entry = this.#entryOf(request)
    const token = this.#freshOf(entry)
    if (!token) return this.#waitForToken(request, signal)
    this.#refreshIfDue(entry)
    return token
  }

  /** What is kept, and what is on its way, counts no more: the next token has to be a new one. */
  invalidate(): void {
    this.#dropAll(new TokenError('invalidated', 'Token invalidated.'))
    this.#person = undefined
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
    const error = new TokenError('disposed', 'Token source disposed.')
    abort(this.#disposal, error)
    this.#dropAll(error)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Ends the work after a while, and the waiting for it with the source. */
  async limit<T>(
    work: (signal: AbortSignal) => Promise<T>,
    controller: AbortController = new AbortController(),
  ): Promise<T> {
    const { signal } = controller
    const callOff = this.#clock.after(attemptTimeoutMs, () =>
      abort(controller, new TokenError('timeout', 'Timed out.')),
    )
    return abortable(abortable(work(signal), signal), this.#disposal.signal).finally(callOff)
  }

  #wake(isBack = false): void {
    this.#noticeJump()
    for (const entry of this.#entries.values()) {
      // What the service asked for holds.
      if (isBack && !(entry.lastError as Partial<TokenError> | undefined)?.retryAfter) entry.pauseMs = 0
      entry.token = this.#freshOf(entry)
      if (entry.token) this.#refreshIfDue(entry)
    }
    this.#schedule()
  }

  /** A clock that was set back knows no more when tokens end: the service does. */
  #noticeJump(): void {
    const now = this.#clock.now()
    if (now < this.#latest - leastSkewMs) for (const entry of this.#entries.values()) entry.refreshAt = 0
    this.#latest = now
  }

  /** What is left of it, in milliseconds; never more than it was, wherever the clock was set. */
  #pauseOf({ failedAt, pauseMs }: Entry<Token>): number {
    return Math.min(failedAt + pauseMs - this.#clock.now(), pauseMs)
  }

  #entryOf(request: TokenRequest): Entry<Token> {
    const { scopes, expiresInMinutes = '' } = request
    const names = scopes && [...new Set(scopes)].toSorted()
    const key = `${names ? names.join() : 'all'} ${expiresInMinutes}`
    let entry = this.#entries.get(key)
    if (!entry) {
      entry = {
        request: names ? { ...request, scopes: names } : request,
        mustRenew: this.#isInvalidated,
        expiresAt: 0,
        refreshAt: 0,
        failedAt: 0,
        pauseMs: 0,
        failures: 0,
      }
      this.#entries.set(key, entry)
    }
    return entry
  }

  /** For those who have none: what is transient is tried again until the deadline. */
  async #waitForToken(request: TokenRequest, signal: AbortSignal | undefined): Promise<Token> {
    const deadline = this.#clock.now() + waitLimitMs
    let person = this.#person
    let isOvertaken = false
    const wait = <T>(promise: Promise<T>) => abortable(abortable(promise, signal), this.#disposal.signal)
    for (;;) {
      const entry = this.#entryOf(request)
      const { failures } = entry
      const pauseMs = this.#pauseOf(entry)
      if (isTransient(entry.lastError) && !entry.flight && pauseMs > 0) {
        if (this.#clock.now() + pauseMs > deadline) throw entry.lastError
        let callOff: (() => void) | undefined
        await wait(new Promise<void>((resolve) => (callOff = this.#clock.after(pauseMs, resolve)))).finally(callOff)
        // Somebody else was faster.
        if (entry.failures !== failures || this.#entryOf(request) !== entry) continue
      }
      try {
        const token = this.#freshOf(entry) ?? (await wait(this.#refresh(entry)))
        if (!isOvertaken || person === this.#person) return token
        throw new TokenError('invalidated', 'Another user signed in.')
      } catch (error) {
        if (isTransient(error)) continue
        // Once more, but only for the user for whom it was asked.
        const isAgain = isOvertaken
        isOvertaken = error instanceof TokenError && error.code === 'invalidated'
        person ??= entry.person
        const isOther = this.#person !== undefined && person !== this.#person
        if (isAgain || !isOvertaken || person === undefined || isOther) throw error
      }
    }
  }

  #freshOf({ token, expiresAt }: Entry<Token>): Token | undefined {
    return this.now() < expiresAt ? token : undefined
  }

  /** Ahead of its end, and nobody waits for it. */
  #refreshIfDue(entry: Entry<Token>): void {
    if (entry.flight || this.now() < entry.refreshAt || this.#pauseOf(entry) > 0) return
    this.#refresh(entry).catch((error: unknown) => {
      if (!this.#disposal.signal.aborted) tell(this.#options.onError, error)
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
    const { request, mustRenew: refresh } = entry
    try {
      const token = await this.limit(
        (signal) =>
          this.#fetchToken(request, { signal, refresh, identify: (person) => this.#identify(person, entry, signal) }),
        controller,
      )
      throwIfAborted(controller.signal)
      if (!this.#isUsable(token)) {
        entry.mustRenew = true
        throw new TokenError('token-stale', 'Token expired.')
      }
      this.#keep(entry, token)
      return token
    } catch (error) {
      this.#postpone(entry, error)
      throw error
    }
  }

  /** Returns whether it is the person from before. */
  #identify(person: string, entry: Entry<Token>, signal: AbortSignal): boolean {
    throwIfAborted(signal)
    const isSame = person === this.#lastPerson
    if (this.#person !== undefined && !isSame) {
      this.#dropAll(new TokenError('invalidated', 'Another user signed in.'), entry)
      entry.token = undefined
    }
    if (!isSame) this.#isInvalidated = false
    this.#person = this.#lastPerson = entry.person = person
    return isSame
  }

  #isUsable({ expiresOn }: Token): boolean {
    return Date.parse(expiresOn) > this.now()
  }

  #keep(entry: Entry<Token>, token: Token): void {
    const expiresAt = Date.parse(token.expiresOn)
    const left = expiresAt - this.now()
    // A short one is used for about half its time. Jitter keeps apart those who got theirs together.
    const ahead = Math.min(refreshAheadMs + maxJitterMs * this.#random(), left * (0.4 + 0.2 * this.#random()))
    const isNew = token.token !== entry.token?.token
    entry.token = token
    entry.expiresAt = expiresAt
    entry.refreshAt = expiresAt - ahead
    entry.pauseMs = entry.failures = 0
    entry.lastError = undefined
    entry.mustRenew = false
    this.#schedule()
    if (isNew) tell(this.#options.onToken, token)
  }

  #postpone(entry: Entry<Token>, error: unknown): void {
    const backOff = Math.min(firstPauseMs * 2 ** entry.failures, maxPauseMs) * (0.5 + 0.5 * this.#random())
    const asked = error instanceof TokenError ? (error.retryAfter ?? 0) * 1000 : 0
    entry.failures++
    entry.lastError = error
    entry.failedAt = this.#clock.now()
    entry.pauseMs = Math.max(backOff, Math.min(asked, maxRequestedPauseMs))
  }

  /** All but the one that found out. */
  #dropAll(error: TokenError, kept?: Entry<Token>): void {
    for (const [key, entry] of this.#entries) {
      if (entry === kept) continue
      if (entry.controller) abort(entry.controller, error)
      this.#entries.delete(key)
    }
    this.#callOffTimer?.()
  }

  #schedule(): void {
    this.#callOffTimer?.()
    let delay = Infinity
    for (const entry of this.#entries.values()) {
      if (!entry.token || entry.flight) continue
      delay = Math.min(delay, longestTimerMs, Math.max(0, entry.refreshAt - this.now(), this.#pauseOf(entry)))
    }
    if (delay < Infinity) this.#callOffTimer = this.#clock.after(delay, () => this.#wake(), true)
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof TokenError && error.isTransient
}

/** A listener's own failure is for the page to report, and stops nothing here. */
function tell<T>(listener: ((value: T) => void) | undefined, value: T): void {
  try {
    listener?.(value)
  } catch (error) {
    page.reportError?.(error)
  }
}

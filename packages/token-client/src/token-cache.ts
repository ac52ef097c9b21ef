import { abort, abortable, throwIfAborted } from './abort.ts'
import { systemClock, type Clock } from './clock.ts'
import { notify, onResume } from './page.ts'
import {
  attemptTimeoutMs,
  getRefreshTime,
  getRemainingPause,
  getRetryPause,
  getTimeUntilDue,
  maxCheckDelayMs,
  maxWaitMs,
  wasSetBack,
  type Timing,
} from './timing.ts'
import { TokenError } from './token-error.ts'
import type { AccessToken, GetTokenOptions, TokenRequest, TokenSource, TokenSourceOptions } from './token-source.ts'

/** Context of one attempt to fetch a token. */
export interface CustomFetchContext {
  /** Aborts when the attempt ends: after 15 seconds, or when the source is disposed. */
  readonly signal: AbortSignal
  /** The previous token was invalidated, so a cached one is not acceptable. */
  readonly refresh: boolean
}

export interface FetchContext extends CustomFetchContext {
  /**
   * Reports the user whom the token is for, as soon as it is known, and drops the tokens of any other user. Returns whether
   * it is the same user as before.
   */
  readonly setUser: (user: string) => boolean
}

export type FetchToken<Token> = (request: TokenRequest, context: FetchContext) => Promise<Token>

/** A cached token and the state of its refresh. */
interface Entry<Token> extends Timing {
  readonly request: TokenRequest
  /** The previous token was invalidated: the next must be a new one. */
  mustRenew: boolean
  /** User of the latest attempt. */
  user?: string
  token?: Token | undefined
  lastError?: unknown
  pendingFetch?: Promise<Token> | undefined
  /** Aborts the pending fetch. */
  controller?: AbortController
}

/** Caches and refreshes a token for each distinct request. The timing rules are in `timing.ts`. */
export class TokenCache<Token extends AccessToken> implements TokenSource<Token> {
  /** Returns the time by which tokens expire. */
  readonly now: () => number
  readonly #fetchToken: FetchToken<Token>
  readonly #options: TokenSourceOptions<Token>
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry<Token>>()
  readonly #disposal = new AbortController()
  /** User of the cached tokens; unknown after they were invalidated. */
  #user: string | undefined
  #lastUser: string | undefined
  #isInvalidated = false
  /** Machine time of the latest check for a clock jump. */
  #lastTime = 0
  #cancelTimer: (() => void) | undefined

  constructor(
    fetchToken: FetchToken<Token>,
    options: TokenSourceOptions<Token>,
    now: () => number = () => this.#clock.now(),
  ) {
    this.#fetchToken = fetchToken
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.now = now
    // Time may have passed unnoticed, and a failed attempt may succeed now.
    onResume(() => this.#check(true), this.#disposal.signal)
  }

  async getToken({ signal, ...request }: GetTokenOptions = {}): Promise<Token> {
    throwIfAborted(this.#disposal.signal)
    this.#detectClockJump()
    const entry = this.#getEntry(request)
    const token = this.#getFresh(entry)
    if (!token) return this.#waitForToken(request, signal)
    this.#refreshIfDue(entry)
    return token
  }

  invalidate(): void {
    this.#clear(new TokenError('invalidated', 'Token invalidated.'))
    this.#user = undefined
    this.#isInvalidated = true
  }

  /** Adds a token that was fetched elsewhere for the same user. */
  add(request: TokenRequest, token: Token): void {
    this.#store(this.#getEntry(request), token)
  }

  dispose(): void {
    const error = new TokenError('disposed', 'Token source disposed.')
    abort(this.#disposal, error)
    this.#clear(error)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Runs work until it times out or the source is disposed. */
  async run<T>(
    work: (signal: AbortSignal) => Promise<T>,
    controller: AbortController = new AbortController(),
  ): Promise<T> {
    const { signal } = controller
    const cancel = this.#clock.after(attemptTimeoutMs, () =>
      abort(controller, new TokenError('timeout', 'No response: call again.')),
    )
    return this.#wait(work(signal), signal).finally(cancel)
  }

  /** Ends the wait, but not the work, when the signal aborts or the source is disposed. */
  #wait<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return abortable(abortable(promise, signal), this.#disposal.signal)
  }

  /** Refreshes whatever is due. */
  #check(hasResumed = false): void {
    this.#detectClockJump()
    for (const entry of this.#entries.values()) {
      // A pause that the service requested still applies.
      if (hasResumed && !(entry.lastError as Partial<TokenError> | undefined)?.retryAfter) entry.pauseMs = 0
      entry.token = this.#getFresh(entry)
      if (entry.token) this.#refreshIfDue(entry)
    }
    this.#schedule()
  }

  /** After the clock was set back, expiry is unknown: refresh now. */
  #detectClockJump(): void {
    const now = this.#clock.now()
    if (wasSetBack(now, this.#lastTime)) for (const entry of this.#entries.values()) entry.refreshAt = 0
    this.#lastTime = now
  }

  #getEntry(request: TokenRequest): Entry<Token> {
    const { scopes, expiresInMinutes = '' } = request
    // eslint-disable-next-line unicorn/no-array-sort -- the array is a copy, and older runtimes have no `toSorted`
    const sorted = scopes && [...new Set(scopes)].sort()
    const key = `${sorted?.join() ?? 'all'} ${expiresInMinutes}`
    let entry = this.#entries.get(key)
    if (!entry) {
      const timing: Timing = { expiresAt: 0, refreshAt: 0, failedAt: 0, pauseMs: 0, failures: 0 }
      entry = { request: sorted ? { ...request, scopes: sorted } : request, mustRenew: this.#isInvalidated, ...timing }
      this.#entries.set(key, entry)
    }
    return entry
  }

  #getFresh(entry: Entry<Token>): Token | undefined {
    return this.now() < entry.expiresAt ? entry.token : undefined
  }

  /** Waits until there is a token, retrying transient failures until the deadline. */
  async #waitForToken(request: TokenRequest, signal: AbortSignal | undefined): Promise<Token> {
    const deadline = this.#clock.now() + maxWaitMs
    let user = this.#user
    let wasInvalidated = false
    for (;;) {
      const entry = this.#getEntry(request)
      const { failures } = entry
      const pauseMs = getRemainingPause(entry, this.#clock.now())
      if (isTransient(entry.lastError) && !entry.pendingFetch && pauseMs > 0) {
        if (this.#clock.now() + pauseMs > deadline) throw entry.lastError
        let cancel: (() => void) | undefined
        const pause = new Promise<void>((resolve) => (cancel = this.#clock.after(pauseMs, resolve)))
        await this.#wait(pause, signal).finally(cancel)
        // Another attempt ended in the meantime.
        if (entry.failures !== failures || this.#getEntry(request) !== entry) continue
      }
      try {
        const token = this.#getFresh(entry) ?? (await this.#wait(this.#refresh(entry), signal))
        if (!wasInvalidated || user === this.#user) return token
        throw new TokenError('invalidated', 'User changed: call again.')
      } catch (error) {
        if (isTransient(error)) continue
        // Retry once after an invalidation, but only for the same user.
        const isRetry = wasInvalidated
        wasInvalidated = (error as Partial<TokenError> | undefined)?.code === 'invalidated'
        user ??= entry.user
        const isOtherUser = this.#user && user !== this.#user
        if (isRetry || !wasInvalidated || !user || isOtherUser) throw error
      }
    }
  }

  /** Refreshes in the background. */
  #refreshIfDue(entry: Entry<Token>): void {
    if (entry.pendingFetch || this.now() < entry.refreshAt || getTimeUntilDue(entry, this.now(), this.#clock.now()) > 0)
      return
    this.#refresh(entry).catch((error: unknown) => {
      if (!this.#disposal.signal.aborted) notify(this.#options.onError, error)
    })
  }

  /** Starts an attempt, or joins the pending one. */
  #refresh(entry: Entry<Token>): Promise<Token> {
    return (entry.pendingFetch ??= this.#attempt(entry).finally(() => {
      entry.pendingFetch = undefined
      this.#schedule()
    }))
  }

  async #attempt(entry: Entry<Token>): Promise<Token> {
    const controller = (entry.controller = new AbortController())
    const { request, mustRenew: refresh } = entry
    try {
      const token = await this.run(
        (signal) =>
          this.#fetchToken(request, { signal, refresh, setUser: (user) => this.#setUser(user, entry, signal) }),
        controller,
      )
      throwIfAborted(controller.signal)
      if (this.#store(entry, token)) return token
      entry.mustRenew = true
      throw new TokenError('token-stale', 'Token expired.')
    } catch (error) {
      entry.pauseMs = getRetryPause(entry.failures++, error, this.#options.random)
      entry.failedAt = this.#clock.now()
      entry.lastError = error
      throw error
    }
  }

  #setUser(user: string, entry: Entry<Token>, signal: AbortSignal): boolean {
    throwIfAborted(signal)
    const isSame = user === this.#lastUser
    if (this.#user && !isSame) {
      this.#clear(new TokenError('invalidated', 'User changed: call again.'), entry)
      entry.token = undefined
    }
    if (!isSame) this.#isInvalidated = false
    this.#user = this.#lastUser = entry.user = user
    return isSame
  }

  /** Stores a token, unless it has expired. Returns whether it was stored. */
  #store(entry: Entry<Token>, token: Token): boolean {
    const now = this.now()
    const expiresAt = Date.parse(token.expiresOn)
    if (!(expiresAt > now)) return false
    const isNew = token.token !== entry.token?.token
    entry.token = token
    entry.expiresAt = expiresAt
    entry.refreshAt = getRefreshTime(expiresAt, now, this.#options.random)
    entry.pauseMs = entry.failures = 0
    entry.lastError = undefined
    entry.mustRenew = false
    this.#schedule()
    if (isNew) notify(this.#options.onToken, token)
    return true
  }

  /** Drops all entries except one, and aborts their pending fetches. */
  #clear(error: TokenError, kept?: Entry<Token>): void {
    for (const [key, entry] of this.#entries) {
      if (entry === kept) continue
      if (entry.controller) abort(entry.controller, error)
      this.#entries.delete(key)
    }
    this.#cancelTimer?.()
  }

  #schedule(): void {
    this.#cancelTimer?.()
    let delayMs = Infinity
    for (const entry of this.#entries.values()) {
      if (!entry.token || entry.pendingFetch) continue
      delayMs = Math.min(delayMs, maxCheckDelayMs, getTimeUntilDue(entry, this.now(), this.#clock.now()))
    }
    if (delayMs < Infinity) this.#cancelTimer = this.#clock.after(delayMs, () => this.#check(), true)
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof TokenError && error.isTransient
}

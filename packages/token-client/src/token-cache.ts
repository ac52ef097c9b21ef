import { abort, abortable, throwIfAborted } from './abort.ts'
import { minSkewMs, systemClock, type Clock } from './clock.ts'
import { notify, onResume } from './page.ts'
import {
  attemptTimeoutMs,
  getRefreshTime,
  getPause,
  getRetryPause,
  getTimeUntilDue,
  maxCheckDelayMs,
  maxWaitMs,
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
   * Reports the user whom the token is for, if known, and drops the tokens of any other user. Returns whether the token of
   * this user must be a new one.
   */
  readonly setUser: (user: string | undefined) => boolean
}

export type FetchToken<Token> = (request: TokenRequest, context: FetchContext) => Promise<Token>

/** A cached token and the state of its refresh. */
interface Entry<Token> extends Timing {
  readonly request: TokenRequest
  /** The previous token was invalidated: the next must be a new one. */
  mustRenew: boolean
  /** User of the latest attempt. */
  user?: string | undefined
  token?: Token | undefined
  lastError?: TokenError | undefined
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
  /** Time of the latest check for a clock jump. */
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

  async getToken(options: GetTokenOptions = {}): Promise<Token> {
    const entry = this.#getEntry(options)
    const now = this.#readTime()
    if (now >= entry.expiresAt) return this.#waitForToken(options)
    if (now >= entry.refreshAt) this.#refreshIfDue(entry)
    return entry.token!
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
    return abortable(abortable(work(signal), signal), this.#disposal.signal).finally(cancel)
  }

  /** Refreshes whatever is due. */
  #check(hasResumed = false): void {
    const now = this.#readTime()
    for (const entry of this.#entries.values()) {
      // A pause that the service requested still applies.
      if (hasResumed && !entry.lastError?.retryAfter) entry.pauseMs = 0
      if (now < entry.expiresAt) this.#refreshIfDue(entry)
    }
    this.#schedule()
  }

  /** Returns the time. After the clock was set back, expiry is unknown: all tokens are due. */
  #readTime(): number {
    const now = this.now()
    if (now < this.#lastTime - minSkewMs) for (const entry of this.#entries.values()) entry.refreshAt = 0
    return (this.#lastTime = now)
  }

  #getEntry({ scopes, expiresInMinutes }: TokenRequest): Entry<Token> {
    // eslint-disable-next-line unicorn/no-array-sort -- the array is a copy, and older runtimes have no `toSorted`
    const sorted = scopes && [...new Set(scopes)].sort()
    const key = (expiresInMinutes ?? '') + (sorted?.join() ?? 'all')
    let entry = this.#entries.get(key)
    if (!entry) {
      const timing: Timing = { expiresAt: 0, refreshAt: 0, failedAt: 0, pauseMs: 0, failures: 0 }
      entry = { request: { scopes: sorted, expiresInMinutes }, mustRenew: this.#isInvalidated, ...timing }
      this.#entries.set(key, entry)
    }
    return entry
  }

  /** Waits until there is a token, retrying transient failures until the deadline. */
  async #waitForToken(options: GetTokenOptions): Promise<Token> {
    const deadline = this.#clock.now() + maxWaitMs
    let user = this.#user
    let invalidation: unknown
    for (;;) {
      throwIfAborted(this.#disposal.signal)
      // Its reason may be a transient error, which would be retried endlessly.
      throwIfAborted(options.signal)
      const entry = this.#getEntry(options)
      if (entry.lastError?.isTransient && this.#clock.now() + getPause(entry, this.now()) > deadline)
        throw entry.lastError
      try {
        const token = await abortable(this.#refresh(entry), options.signal)
        if (!invalidation || user === this.#user) return token
        throw invalidation
      } catch (error) {
        if (!(error instanceof TokenError)) throw error
        if (error.isTransient) continue
        // Retry once after an invalidation, but only for the same user.
        user ??= entry.user
        const isOtherUser = this.#user && user !== this.#user
        if (invalidation || error.code !== 'invalidated' || !user || isOtherUser) throw error
        invalidation = error
      }
    }
  }

  /** Refreshes in the background. */
  #refreshIfDue(entry: Entry<Token>): void {
    if (entry.pendingFetch || getTimeUntilDue(entry, this.now()) > 0) return
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
    const { signal } = controller
    const { request, mustRenew: refresh } = entry
    const pauseMs = getPause(entry, this.now())
    if (entry.lastError?.isTransient && pauseMs > 0) {
      let cancel
      const pause = new Promise<void>((resolve) => (cancel = this.#clock.after(pauseMs, resolve)))
      await abortable(pause, signal).finally(cancel)
      // Another tab has fetched the token.
      if (!entry.lastError) return entry.token!
    }
    try {
      const token = await this.run(
        () => this.#fetchToken(request, { signal, refresh, setUser: (user) => this.#setUser(user, entry, signal) }),
        controller,
      )
      throwIfAborted(signal)
      if (this.#store(entry, token)) return token
      entry.mustRenew = true
      throw new TokenError('token-stale', 'Token expired.')
    } catch (error) {
      // An error of the app may have properties of the same names.
      entry.lastError = error instanceof TokenError ? error : undefined
      entry.pauseMs = getRetryPause(entry.failures++, entry.lastError, this.#options.random)
      entry.failedAt = this.now()
      throw error
    }
  }

  #setUser(user: string | undefined, entry: Entry<Token>, signal: AbortSignal): boolean {
    throwIfAborted(signal)
    if (user !== this.#lastUser) {
      this.#isInvalidated = entry.mustRenew = false
      if (this.#user) {
        this.#clear(new TokenError('invalidated', 'User changed: call again.'), entry)
        entry.expiresAt = 0
      }
    }
    this.#user = this.#lastUser = entry.user = user
    return entry.mustRenew
  }

  /** Stores a token, unless it has expired. Returns whether it was stored. */
  #store(entry: Entry<Token>, token: Token): boolean {
    // A response may have corrected the time, which is not a jump.
    const now = (this.#lastTime = this.now())
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
      if (entry.pendingFetch || this.now() >= entry.expiresAt) continue
      delayMs = Math.min(delayMs, maxCheckDelayMs, getTimeUntilDue(entry, this.now()))
    }
    if (delayMs < Infinity) this.#cancelTimer = this.#clock.after(delayMs, () => this.#check(), true)
  }
}

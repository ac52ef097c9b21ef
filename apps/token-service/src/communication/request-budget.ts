/** Allows at most `limit` requests within any period of `windowMs`, so also within each window of the service. */
export class RequestBudget {
  /** Times of the last `limit` requests, oldest at `#next`. */
  readonly #starts: Float64Array
  readonly #windowMs: number
  #next = 0
  #pausedUntil = 0

  constructor(limit: number, windowMs: number) {
    this.#starts = new Float64Array(limit).fill(-Infinity)
    this.#windowMs = windowMs
  }

  /** Records a request and returns 0, or returns the milliseconds until one is allowed. */
  take(now: number): number {
    const waitMs = Math.max(this.#starts[this.#next]! + this.#windowMs, this.#pausedUntil) - now
    if (waitMs > 0) return waitMs
    this.#starts[this.#next] = now
    this.#next = (this.#next + 1) % this.#starts.length
    return 0
  }

  /** Allows no requests before this time, as the service demanded. */
  pauseUntil(time: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, time)
  }
}

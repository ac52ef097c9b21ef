/** At most `limit` starts within any `windowMs`, however they lie: so no window of the service's own sees more. */
export class RequestBudget {
  /** The last `limit` starts, oldest at `#next`. */
  readonly #starts: Float64Array
  readonly #windowMs: number
  #next = 0
  #heldUntil = 0

  constructor(limit: number, windowMs: number) {
    this.#starts = new Float64Array(limit).fill(-Infinity)
    this.#windowMs = windowMs
  }

  /** Takes one start and returns 0, or returns the milliseconds until there is one. */
  take(now: number): number {
    const wait = Math.max(this.#starts[this.#next]! + this.#windowMs, this.#heldUntil) - now
    if (wait > 0) return wait
    this.#starts[this.#next] = now
    this.#next = (this.#next + 1) % this.#starts.length
    return 0
  }

  /** No starts before this time: the service said so. */
  hold(until: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, until)
  }
}

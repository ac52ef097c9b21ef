/** Time, so that it can be another than the machine's. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /**
   * Calls back once, after some milliseconds; the returned function calls it off. What happens in the background should
   * not keep a process alive.
   */
  after(milliseconds: number, callback: () => void, isBackground?: boolean): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, callback, isBackground = false) {
    const timer: unknown = setTimeout(callback, milliseconds)
    // A number in browsers, an object in Node.
    if (isBackground) (timer as { unref?(): void }).unref?.()
    return () => clearTimeout(timer as number)
  },
}

/** Less than this is the second's fraction that `Date` leaves out, and the network's delay. */
const leastSkewMs = 2000

/** The service's time: the machine's, and how wrong that was seen to be. */
export class ServiceClock implements Clock {
  readonly #clock: Clock
  #skew = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now() + this.#skew
  }

  after(milliseconds: number, callback: () => void, isBackground?: boolean): () => void {
    return this.#clock.after(milliseconds, callback, isBackground)
  }

  /** From the `Date` of an answer that has just come; null where a service does not show it to pages. */
  learn(date: string | null): void {
    const skew = Date.parse(date ?? '') - this.#clock.now()
    if (Math.abs(skew - this.#skew) >= leastSkewMs) this.#skew = Math.abs(skew) < leastSkewMs ? 0 : skew
  }
}

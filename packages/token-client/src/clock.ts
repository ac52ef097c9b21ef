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
export const leastSkewMs = 2000

/** Source of time, replaceable in tests. */
export interface Clock {
  /**
   * Returns the current time.
   *
   * @returns Milliseconds since 1970.
   */
  now(): number
  /**
   * Calls back once after a delay.
   *
   * @param milliseconds Delay.
   * @param callback Function to call.
   * @param isBackground Whether the callback must not keep a Node process alive.
   * @returns A function that cancels the callback.
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

/** Smaller differences come from network delay and from `Date` headers, which have no fraction of a second. */
export const minSkewMs = 2000

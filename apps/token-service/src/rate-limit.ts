import { LRUCache } from 'lru-cache'

const windowMs = 60_000
/** Users and addresses counted at a time: bounds the memory. */
const maxKeys = 100_000

interface Window {
  count: number
  readonly endsAt: number
}

/**
 * Counts requests by key. The minute of a key begins with its first request. It is measured by `performance.now`, not by the
 * injected clock: a clock that is set back would extend it.
 */
export function createRateLimit(maxPerMinute: number) {
  // With `max`, the cache would allocate all its entries when the service starts.
  const windows = new LRUCache<string, Window>({ maxSize: maxKeys, sizeCalculation: () => 1 })

  /** Counts a request. Returns the milliseconds until the minute ends if it has too many, otherwise 0. */
  function count(key: string): number {
    const now = performance.now()
    let window = windows.get(key)
    if (!window || window.endsAt <= now) windows.set(key, (window = { count: 0, endsAt: now + windowMs }))
    window.count++
    return toExcessMs(window, now)
  }

  /** Returns the same as the latest `count`, without counting. */
  function check(key: string): number {
    const window = windows.get(key)
    return window ? toExcessMs(window, performance.now()) : 0
  }

  function toExcessMs({ count, endsAt }: Window, now: number): number {
    return count > maxPerMinute ? Math.max(0, endsAt - now) : 0
  }

  return { count, check }
}

import type { Clock } from '../src/index.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** Clock that a test advances. */
export class VirtualClock implements Clock {
  #now: number
  /** Total time of sleep, during which timers stop. */
  #slept = 0
  readonly #timers = new Set<Timer>()

  constructor(now = Date.UTC(2026, 0, 5, 8)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now - this.#slept + milliseconds, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Number of pending timers. */
  get pending(): number {
    return this.#timers.size
  }

  /** Advances the time and runs the timers that are due. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    for (;;) {
      await runCallbacks()
      const next = [...this.#timers].toSorted((a, b) => a.at - b.at)[0]
      if (!next || next.at + this.#slept > end) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at + this.#slept)
      next.callback()
    }
    this.#now = end
    await runCallbacks()
  }

  /** Advances the time in small steps until the promise settles. */
  async advanceUntil(promise: Promise<unknown>, limitMs: number): Promise<void> {
    const state = { isSettled: false }
    void promise.finally(() => (state.isSettled = true))
    for (let passed = 0; !state.isSettled && passed < limitMs; passed += 100) await this.advance(100)
  }

  /** Advances the time without running timers, like a laptop that sleeps. */
  sleep(milliseconds: number): void {
    this.#now += milliseconds
    this.#slept += milliseconds
  }
}

/** Runs all callbacks that are ready. */
async function runCallbacks(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

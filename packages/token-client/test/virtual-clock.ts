import type { Clock } from '../src/index.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** A clock that moves when it is told to. */
export class VirtualClock implements Clock {
  #now: number
  /** How long the machine slept so far: its timers stood still meanwhile. */
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

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size
  }

  /** Lets time pass, and what is due happen. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    for (;;) {
      await settle()
      const next = [...this.#timers].toSorted((a, b) => a.at - b.at)[0]
      if (!next || next.at + this.#slept > end) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at + this.#slept)
      next.callback()
    }
    this.#now = end
    await settle()
  }

  /** Lets time pass in small steps until the promise is settled. */
  async advanceUntil(promise: Promise<unknown>, limit: number): Promise<void> {
    const state = { isSettled: false }
    void promise.finally(() => (state.isSettled = true))
    for (let passed = 0; !state.isSettled && passed < limit; passed += 100) await this.advance(100)
  }

  /** As a laptop does: the time is another afterwards, and no timer noticed. */
  sleep(milliseconds: number): void {
    this.#now += milliseconds
    this.#slept += milliseconds
  }
}

/** Lets everything happen that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

import { InvalidSettingError } from './invalid-setting-error.ts'

/**
 * The time by which tokens live: the machine's clock plus an offset that a test may move. Signatures, TLS and HTTP dates
 * never use it, since the clients' side of those stays on the real clock.
 */
export class Clock {
  #offset = 0
  readonly #listeners = new Set<(offset: number) => void>()

  /** Milliseconds since the epoch. */
  now(): number {
    return Date.now() + this.#offset
  }

  /** How far it is ahead of the machine's clock, in milliseconds. */
  get offset(): number {
    return this.#offset
  }

  /** Goes on from `time`, ticking as before. Throws `InvalidSettingError`. */
  set(time: Date): void {
    this.#move(time.getTime() - Date.now())
  }

  /** Moves on by some milliseconds; a negative number moves back. Throws `InvalidSettingError`. */
  advance(milliseconds: number): void {
    this.#move(this.#offset + milliseconds)
  }

  reset(): void {
    this.#move(0)
  }

  /** Tells the new offset whenever it is moved, for programs whose clock has to go with it. The returned function ends that. */
  onMove(listener: (offset: number) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #move(offset: number): void {
    const year = new Date(Date.now() + offset).getUTCFullYear()
    // Times are written with four digits, and no token lives outside of these.
    if (!(year >= 1970 && year < 9999)) throw new InvalidSettingError('the clock can be set to the years 1970 to 9998')
    this.#offset = Math.round(offset)
    for (const listener of this.#listeners) listener(this.#offset)
  }
}

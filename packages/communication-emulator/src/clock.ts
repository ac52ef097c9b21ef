import { InvalidSettingError } from './invalid-setting-error.ts'

/**
 * The clock that tokens, revocations and quotas follow: the machine's clock plus an offset. Signatures, TLS and HTTP dates stay on
 * the machine's clock, as the clients do.
 *
 * @example
 * emulator.clock.advance(24 * 60 * 60_000)
 */
export class Clock {
  #offset = 0
  readonly #listeners = new Set<(offset: number) => void>()

  /** @returns The time in milliseconds since the epoch. */
  now(): number {
    return Date.now() + this.#offset
  }

  /** Difference to the machine's clock in milliseconds; positive when this clock is ahead. */
  get offset(): number {
    return this.#offset
  }

  /**
   * Sets the clock, which keeps running from there.
   *
   * @param time The new time, in the years 1970 to 9998.
   * @throws {InvalidSettingError} The time is outside these years.
   */
  set(time: Date): void {
    this.#move(time.getTime() - Date.now())
  }

  /**
   * Moves the clock.
   *
   * @param milliseconds Time to move it forward; a negative number moves it back.
   * @throws {InvalidSettingError} The new time is outside the years 1970 to 9998.
   */
  advance(milliseconds: number): void {
    this.#move(this.#offset + milliseconds)
  }

  /** Sets the offset to 0. */
  reset(): void {
    this.#move(0)
  }

  /**
   * Reports every move of the clock, for programs that follow it.
   *
   * @param listener Receives the new offset in milliseconds.
   * @returns A function that removes the listener.
   */
  onMove(listener: (offset: number) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #move(offset: number): void {
    const year = new Date(Date.now() + offset).getUTCFullYear()
    // Responses have years of four digits.
    if (!(year >= 1970 && year < 9999)) throw new InvalidSettingError('the time must be in the years 1970 to 9998')
    this.#offset = Math.round(offset)
    for (const listener of this.#listeners) listener(this.#offset)
  }
}

/**
 * The time by which tokens live: the machine's clock plus an offset that a test may move. Signatures, TLS and HTTP dates
 * never use it, since the clients' side of those stays on the real clock.
 */
export class Clock {
  #offset = 0

  /** Milliseconds since the epoch. */
  now(): number {
    return Date.now() + this.#offset
  }

  /** How far it is ahead of the machine's clock, in milliseconds. */
  get offset(): number {
    return this.#offset
  }

  /** Goes on from `time`, ticking as before. */
  set(time: Date): void {
    this.#offset = time.getTime() - Date.now()
  }

  /** Moves on by some milliseconds; a negative number moves back. */
  advance(milliseconds: number): void {
    this.#offset += milliseconds
  }

  reset(): void {
    this.#offset = 0
  }
}

/** Work that no request waits for. */
export class Background {
  readonly #log: { warn(fields: object, message: string): void }
  readonly #running = new Set<Promise<void>>()

  constructor(log: { warn(fields: object, message: string): void }) {
    this.#log = log
  }

  /** A failure is logged: whatever is run here is either a convenience, or in the journal. */
  run(what: string, work: () => Promise<unknown>): void {
    const running = this.#attempt(what, work).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#log.warn({ err: error }, `could not ${what}`)
    }
  }

  /** Resolves when nothing runs any more. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}

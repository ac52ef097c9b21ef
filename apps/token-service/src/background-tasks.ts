import type { Log } from './log.ts'

/** Tasks that no request waits for. */
export class BackgroundTasks {
  readonly #log: Pick<Log, 'warn'>
  readonly #running = new Set<Promise<void>>()

  constructor(log: Pick<Log, 'warn'>) {
    this.#log = log
  }

  /** Logs a failure: every task is either optional or recorded in the journal. */
  run(purpose: string, task: () => Promise<unknown>): void {
    const running = this.#attempt(purpose, task).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #attempt(purpose: string, task: () => Promise<unknown>): Promise<void> {
    try {
      await task()
    } catch (error) {
      this.#log.warn({ err: error }, `could not ${purpose}`)
    }
  }

  /** Resolves when no task is running. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}

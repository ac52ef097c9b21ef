import type { ReadyResponse } from '@acs-kit/token-contract'
import type { Communication } from './communication/communication.ts'
import type { IdentityStore } from './identities/identity-store.ts'
import { ProblemError } from './problem-error.ts'

type Part = ReadyResponse['store']

export interface HealthMonitorOptions {
  readonly store: IdentityStore
  readonly communication: Communication
  readonly log: { warn(fields: object, message: string): void }
}

/** Nobody's: looked up to see whether the store answers. */
const nobodysKey = 'A'.repeat(43)

/** What was found at the last look at store and Azure Communication Services; asking it costs nothing. */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions
  #store: Part = 'unknown'
  #communication: Part = 'unknown'

  constructor(options: HealthMonitorOptions) {
    this.#options = options
  }

  get state(): ReadyResponse {
    const isReady = this.#store === 'ok' && this.#communication === 'ok'
    return { status: isReady ? 'ready' : 'not-ready', store: this.#store, communication: this.#communication }
  }

  async look(): Promise<void> {
    const { store, communication } = this.#options
    const parts = await Promise.all([
      this.#ask('store', () => store.find(nobodysKey)),
      this.#ask('communication', () => communication.probe()),
    ])
    this.#store = parts[0]
    this.#communication = parts[1]
  }

  async #ask(part: string, work: () => Promise<unknown>): Promise<Part> {
    try {
      await work()
      return 'ok'
    } catch (error) {
      // Busy, and so alive.
      if (error instanceof ProblemError && error.code === 'communication-throttled') return 'ok'
      this.#options.log.warn({ err: error }, `${part} can’t be reached`)
      return 'down'
    }
  }
}

import type { ReadyResponse } from '@acs-kit/token-contract'
import type { Communication } from './communication/communication.ts'
import type { IdentityStore } from './identities/identity-store.ts'
import type { Log } from './log.ts'
import { ProblemError } from './problems/problem-error.ts'

type Status = ReadyResponse['store']

/** Key that no user has. Reading it checks the store. */
const unusedUserKey = 'A'.repeat(43)

/** Result of the latest health check of the store and Azure Communication Services. Reading it sends no request. */
export class HealthMonitor {
  readonly #parts: { readonly store: IdentityStore; readonly communication: Communication; readonly log: Log }
  #store: Status = 'unknown'
  #communication: Status = 'unknown'

  constructor(parts: { store: IdentityStore; communication: Communication; log: Log }) {
    this.#parts = parts
  }

  get state(): ReadyResponse {
    const isReady = this.#store === 'ok' && this.#communication === 'ok'
    return { status: isReady ? 'ready' : 'not-ready', store: this.#store, communication: this.#communication }
  }

  async check(): Promise<void> {
    const { store, communication } = this.#parts
    ;[this.#store, this.#communication] = await Promise.all([
      this.#checkPart('the identity store', () => store.find(unusedUserKey)),
      this.#checkPart('Azure Communication Services', () => communication.probe()),
    ])
  }

  async #checkPart(name: string, request: () => Promise<unknown>): Promise<Status> {
    try {
      await request()
      return 'ok'
    } catch (error) {
      // Throttled, and so reachable.
      if (error instanceof ProblemError && error.code === 'communication-throttled') return 'ok'
      this.#parts.log.warn({ err: error }, `health check failed: cannot reach ${name}`)
      return 'down'
    }
  }
}

import type { Clock } from './clock.ts'
import { InvalidSettingError } from './invalid-setting-error.ts'

/**
 * Calls per resource and window that the service allows for identities.
 * Source: the service limits in Azure's documentation, read in 2026.
 */
export const documentedQuotas = {
  createIdentity: 1000,
  deleteIdentity: 500,
  issueAccessToken: 1000,
  revokeAccessTokens: 500,
  createIdentityWithToken: 1000,
  exchangeTeamsUserAccessToken: 500,
} as const

export type Quotas = Partial<Record<keyof typeof documentedQuotas, number>>

// guess(quota-window): the length is documented; that windows are fixed and counted by resource is not.
const windowSeconds = 30

/** Counts calls in windows of 30 seconds of the emulator's clock. Off until limits are set. */
export class QuotaCounter {
  #limits: Quotas = {}
  #window = Number.NaN
  readonly #counts = new Map<string, number>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `true` sets the documented limits, `false` none. Throws `InvalidSettingError`. */
  set(limits: Quotas | boolean): void {
    for (const [operation, limit] of Object.entries(limits)) {
      if (!Object.hasOwn(documentedQuotas, operation) || !Number.isInteger(limit) || limit < 0) {
        throw new InvalidSettingError(
          `quotas are whole numbers for ${Object.keys(documentedQuotas).join(', ')}; ${operation} is not one`,
        )
      }
    }
    this.#limits = limits === true ? documentedQuotas : limits === false ? {} : limits
    this.clear()
  }

  get limits(): Quotas {
    return this.#limits
  }

  /** Starts counting anew. */
  clear(): void {
    this.#counts.clear()
  }

  /** Counts one call. Returns undefined when it is allowed, else the seconds until the next window. */
  take(resource: string, operation: string): number | undefined {
    const limit = this.#limits[operation as keyof Quotas]
    if (limit === undefined) return undefined
    const seconds = this.#clock.now() / 1000
    const window = Math.floor(seconds / windowSeconds)
    if (window !== this.#window) {
      this.#window = window
      this.#counts.clear()
    }
    const key = `${resource} ${operation}`
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, count)
    return count <= limit ? undefined : Math.max(1, Math.ceil((window + 1) * windowSeconds - seconds))
  }
}

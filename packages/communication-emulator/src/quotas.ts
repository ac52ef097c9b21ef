import type { Clock } from './clock.ts'
import { identityOperations, type Operation } from './identity/routes.ts'
import { InvalidSettingError } from './invalid-setting-error.ts'

/**
 * Documented limits of the service: calls per resource in 30 seconds.
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

/** An operation that can have a limit. The creation of an identity with a token has a separate limit. */
export type LimitedOperation = Operation | 'createIdentityWithToken'

const limitedOperations: readonly string[] = [...identityOperations, 'createIdentityWithToken']

/** Limits by operation: calls per resource in 30 seconds. An operation without a limit is not counted. */
export type Quotas = Partial<Record<LimitedOperation, number>>

// guess(quota-window): only the length is documented, not that windows are fixed and count calls per resource.
const windowSeconds = 30

/**
 * Limits the calls in windows of 30 seconds of the emulator's clock. By default, there are no limits.
 *
 * @example
 * emulator.quotas.set({ createIdentity: 10 })
 */
export class QuotaCounter {
  #limits: Quotas = {}
  #window = Number.NaN
  readonly #counts = new Map<string, number>()
  readonly #clock: Clock

  /** @internal */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Replaces the limits and resets the counts.
   *
   * @param limits Limits by operation; `true` for the documented limits, `false` for none.
   * @throws {InvalidSettingError} An operation is unknown, or a limit is not a whole number.
   */
  set(limits: Quotas | boolean): void {
    for (const [operation, limit] of Object.entries(limits)) {
      if (!limitedOperations.includes(operation)) {
        throw new InvalidSettingError(`unknown operation ${operation}: use one of ${limitedOperations.join(', ')}`)
      }
      if (!Number.isInteger(limit) || limit < 0) {
        throw new InvalidSettingError(`the limit of ${operation} must be a whole number, not negative`)
      }
    }
    this.#limits = limits === true ? documentedQuotas : limits === false ? {} : limits
    this.clear()
  }

  /** The current limits. */
  get limits(): Quotas {
    return this.#limits
  }

  /** Resets the counts. */
  clear(): void {
    this.#counts.clear()
  }

  /**
   * Counts a call. Returns undefined if it is within the limit, otherwise the seconds until the next window.
   *
   * @internal
   */
  take(resource: string, operation: LimitedOperation): number | undefined {
    const limit = this.#limits[operation]
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

import type { Clock } from './clock.ts'
import { documentedChatQuotas, documentedQuotas } from './documented-quotas.ts'
import { identityOperations, type Operation } from './identity/routes.ts'
import { InvalidSettingError } from './invalid-setting-error.ts'

const limitScopes = ['resource', 'user', 'thread', 'userInThread'] as const

/** Limit of the calls in windows of the emulator's clock. */
export interface Limit {
  readonly calls: number
  /** Length of the window. */
  readonly seconds: number
  /** Scope of each count; default `resource`. `user`, `thread` and `userInThread` are for chat. */
  readonly per?: (typeof limitScopes)[number]
}

/** An operation that can have limits. The creation of an identity with a token has separate limits. */
export type LimitedOperation = Operation | 'createIdentityWithToken' | keyof typeof documentedChatQuotas

/** Limits by operation; a number is calls per resource in 30 seconds. An operation without a limit is not counted. */
export type Quotas = Partial<Record<LimitedOperation, number | readonly Limit[]>>

/** A call to count. */
export interface LimitedCall {
  readonly operation: LimitedOperation
  /** Name of the resource. */
  readonly resource: string
  readonly communicationUserId?: string
  readonly threadId?: string
}

const limitedOperations: readonly string[] = [
  ...identityOperations,
  'createIdentityWithToken',
  ...Object.keys(documentedChatQuotas),
]

/** Window of a limit that is a number. */
const defaultSeconds = 30

/** The counts of a limit in its current window. */
interface Window {
  readonly index: number
  readonly counts: Map<string, number>
}

// guess(quota-window): only the lengths are documented, not that windows are fixed and count rejected calls.
/**
 * Limits the calls in windows of the emulator's clock. By default, there are no limits.
 *
 * @example
 * emulator.quotas.set({ createIdentity: 10, sendChatMessage: [{ calls: 2, seconds: 10, per: 'thread' }] })
 */
export class QuotaCounter {
  /** Operations that can have limits. */
  readonly operations: readonly string[] = limitedOperations
  #quotas: Quotas = {}
  #limits = new Map<string, readonly Limit[]>()
  readonly #windows = new Map<Limit, Window>()
  readonly #clock: Clock

  /** @internal */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Replaces the limits and resets the counts.
   *
   * @param quotas Limits by operation; `true` for the documented limits, `false` for none.
   * @throws {InvalidSettingError} An operation is unknown, or a limit is invalid.
   */
  set(quotas: Quotas | boolean): void {
    const chosen: Quotas = quotas === true ? documentedQuotas : quotas === false ? {} : quotas
    this.#limits = new Map(
      Object.entries(chosen).map(([operation, value]) => [operation, readLimits(operation, value)]),
    )
    this.#quotas = chosen
    this.clear()
  }

  /** The current limits. */
  get limits(): Quotas {
    return this.#quotas
  }

  /** Resets the counts. */
  clear(): void {
    this.#windows.clear()
  }

  /**
   * Counts a call. Returns undefined if it is within all limits, otherwise the seconds until the windows of those that it exceeds end.
   *
   * @internal
   */
  take(call: LimitedCall): number | undefined {
    let retryAfterSeconds: number | undefined
    const seconds = this.#clock.now() / 1000
    for (const limit of this.#limits.get(call.operation) ?? []) {
      const index = Math.floor(seconds / limit.seconds)
      const { counts } = this.#openWindow(limit, index)
      const key = getCountKey(limit, call)
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      if (count <= limit.calls) continue
      const remaining = Math.max(1, Math.ceil((index + 1) * limit.seconds - seconds))
      retryAfterSeconds = Math.max(retryAfterSeconds ?? 0, remaining)
    }
    return retryAfterSeconds
  }

  #openWindow(limit: Limit, index: number): Window {
    let window = this.#windows.get(limit)
    if (window?.index !== index) this.#windows.set(limit, (window = { index, counts: new Map() }))
    return window
  }
}

function getCountKey({ per = 'resource' }: Limit, { resource, communicationUserId, threadId }: LimitedCall): string {
  switch (per) {
    case 'resource':
      return resource
    case 'user':
      return communicationUserId ?? ''
    case 'thread':
      return threadId ?? ''
    case 'userInThread':
      return `${communicationUserId} ${threadId}`
  }
}

/** Reads the limits of an operation, also from JSON. Throws `InvalidSettingError`. */
function readLimits(operation: string, value: number | readonly Limit[]): readonly Limit[] {
  if (!limitedOperations.includes(operation)) {
    throw new InvalidSettingError(`unknown operation ${operation}: use one of ${limitedOperations.join(', ')}`)
  }
  const limits = typeof value === 'number' ? [{ calls: value, seconds: defaultSeconds }] : value
  if (!Array.isArray(limits) || !limits.every(isLimit)) {
    throw new InvalidSettingError(
      `the limit of ${operation} must be a whole number, not negative, or an array of { calls, seconds, per }, where per is one of ${limitScopes.join(', ')}`,
    )
  }
  return limits
}

function isLimit(value: unknown): value is Limit {
  if (typeof value !== 'object' || value === null) return false
  const { calls, seconds, per = 'resource' } = value as Partial<Limit>
  return isWhole(calls, 0) && isWhole(seconds, 1) && limitScopes.includes(per)
}

function isWhole(value: unknown, minimum: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= minimum
}

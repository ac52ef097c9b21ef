import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkFault, type Fault } from './fault.ts'

/** A fault that was added. */
export interface ListedFault extends Fault {
  readonly id: number
  /** Number of requests that it applied to. */
  readonly appliedCount: number
}

/** A fault that applies to a request. */
export interface MatchedFault extends Fault {
  /** Aborted when the fault is removed. */
  readonly removed: AbortSignal
}

interface State {
  readonly fault: Fault
  readonly removal: AbortController
  /** Number of requests that it matched. */
  seen: number
  /** Number of requests that it applied to. */
  applied: number
}

/**
 * The faults that an emulator injects.
 *
 * @example
 * emulator.faults.add({ operation: 'issueAccessToken', status: 429, retryAfterSeconds: 1, count: 2 })
 */
export class FaultPlan {
  #nextId = 1
  readonly #states = new Map<number, State>()
  /** Operations that a fault can name. */
  readonly operations: readonly string[]
  /** Events of chat that a fault can name. */
  readonly events: readonly string[]

  /** @internal */
  constructor(operations: readonly string[], events: readonly string[]) {
    this.operations = operations
    this.events = events
  }

  /**
   * Adds a fault; the first one that matches a request applies to it.
   *
   * @param fault The error or delay to inject, and the requests that it applies to.
   * @returns The id of the fault, for `remove`.
   * @throws {InvalidSettingError} A member is unknown or invalid.
   */
  add(fault: Fault): number {
    checkFault(fault, this.operations, this.events)
    const id = this.#nextId++
    this.#states.set(id, { fault, removal: new AbortController(), seen: 0, applied: 0 })
    return id
  }

  /** @returns The current faults, including those whose `count` is used up. */
  list(): ListedFault[] {
    return Array.from(this.#states, ([id, { fault, applied }]) => ({ id, appliedCount: applied, ...fault }))
  }

  /**
   * Removes a fault, which also ends the delays that it caused.
   *
   * @param id The id that `add` returned.
   * @returns Whether the fault existed.
   */
  remove(id: number): boolean {
    this.#states.get(id)?.removal.abort()
    return this.#states.delete(id)
  }

  /** Removes all faults. */
  clear(): void {
    for (const id of this.#states.keys()) this.remove(id)
  }

  /**
   * Counts a request and returns the fault that applies to it. With `isNamedOnly`, faults without an operation do not apply.
   *
   * @internal
   */
  match(
    operation: string | undefined,
    { isNamedOnly = false, communicationUserId }: { isNamedOnly?: boolean; communicationUserId?: string } = {},
  ): MatchedFault | undefined {
    for (const state of this.#states.values()) {
      const { fault } = state
      if (fault.communicationUserId !== undefined && fault.communicationUserId !== communicationUserId) continue
      if (fault.operation === undefined ? isNamedOnly : fault.operation !== operation) continue
      if (state.applied >= (fault.count ?? Infinity)) continue
      state.seen++
      if (fault.rate !== undefined && draw(fault.seed ?? 0, state.seen) >= fault.rate) continue
      state.applied++
      return { ...fault, removed: state.removal.signal }
    }
    return undefined
  }
}

/** Waits for the latency of a fault, or until the fault is removed. */
export async function waitForLatency({ latencyMs, removed }: MatchedFault): Promise<void> {
  if (latencyMs !== undefined) await sleep(latencyMs, undefined, { ref: false, signal: removed }).catch(() => {})
}

/** Returns the nth number of a seeded sequence in [0, 1). A hash needs no state, so order and restarts do not matter. */
function draw(seed: number, n: number): number {
  return createHash('sha256').update(`${seed}:${n}`).digest().readUInt32BE() / 2 ** 32
}

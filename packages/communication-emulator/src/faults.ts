import { createHash } from 'node:crypto'
import { InvalidSettingError } from './invalid-setting-error.ts'

/** Something that goes wrong on purpose. */
export interface Fault {
  /** An operation as the request log names it (`issueAccessToken`); without it, every operation of identities. */
  readonly operation?: string
  /** Milliseconds to wait before anything else; removing the fault ends the wait. */
  readonly latencyMs?: number
  /** RawResponse with this status in place of the service's own. */
  readonly status?: number
  /** Sent as `Retry-After`, in seconds, with `status`. */
  readonly retryAfterSeconds?: number
  /** Cut the connection without an answer. */
  readonly reset?: boolean
  /** `after` lets the service do its work first, so that only the answer is lost. Default `before`. */
  readonly phase?: 'before' | 'after'
  /** How often it strikes before it is used up; default: always. */
  readonly count?: number
  /** The share of requests that it strikes, above 0 up to 1; default 1. The same seed strikes the same ones. */
  readonly rate?: number
  readonly seed?: number
}

export interface ArmedFault extends Fault {
  readonly id: number
  readonly strikes: number
}

/** A fault as it affects one request. */
export interface StruckFault extends Fault {
  /** Aborted as soon as the fault is removed. */
  readonly removed: AbortSignal
}

interface State {
  readonly id: number
  readonly fault: Fault
  readonly removal: AbortController
  seen: number
  strikes: number
}

export class FaultPlan {
  #nextId = 1
  #states: State[] = []
  readonly #operations: readonly string[]

  /** `operations` are those that a fault may be aimed at. */
  constructor(operations: readonly string[]) {
    this.#operations = operations
  }

  /** Arms a fault and returns its id. Throws `InvalidSettingError`. */
  add(fault: Fault): number {
    this.#check(fault)
    const id = this.#nextId++
    this.#states.push({ id, fault, removal: new AbortController(), seen: 0, strikes: 0 })
    return id
  }

  list(): ArmedFault[] {
    return this.#states.map(({ id, fault, strikes }) => ({ id, strikes, ...fault }))
  }

  /** Disarms one fault. Returns whether there was one. */
  remove(id: number): boolean {
    const removed = this.#states.find((state) => state.id === id)
    this.#states = this.#states.filter((state) => state !== removed)
    removed?.removal.abort()
    return removed !== undefined
  }

  clear(): void {
    for (const { id } of this.#states) this.remove(id)
  }

  /** The fault that strikes this request: the first armed one that fits it, or that names it when only such ones count. */
  strike(operation: string | undefined, { isNamedOnly = false } = {}): StruckFault | undefined {
    for (const state of this.#states) {
      const { fault } = state
      if (fault.operation === undefined ? isNamedOnly : fault.operation !== operation) continue
      if (state.strikes >= (fault.count ?? Infinity)) continue
      state.seen++
      if (fault.rate !== undefined && draw(fault.seed ?? 0, state.seen) >= fault.rate) continue
      state.strikes++
      return { ...fault, removed: state.removal.signal }
    }
    return undefined
  }

  #check(fault: Fault): void {
    const { operation, latencyMs, status, reset, rate = 1 } = fault
    for (const [name, value] of Object.entries(fault)) {
      const type = Object.hasOwn(members, name) ? members[name as keyof Fault] : undefined
      if (type === undefined) {
        throw new InvalidSettingError(`a fault has no ${name}; it has ${Object.keys(members).join(', ')}`)
      }
      // The largest is what a timer takes, some 24 days.
      const isWhole =
        name === 'rate' || (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31)
      if (typeof value !== type || (type === 'number' && !isWhole)) {
        throw new InvalidSettingError(`${name} must be a ${type}${type === 'number' ? ', whole and not negative' : ''}`)
      }
    }
    if (operation !== undefined && !this.#operations.includes(operation)) {
      throw new InvalidSettingError(`there is no operation ${operation}; there are ${this.#operations.join(', ')}`)
    }
    if (status !== undefined && !(Number.isInteger(status) && status >= 200 && status <= 599)) {
      throw new InvalidSettingError('status must be a whole number from 200 to 599')
    }
    if (fault.phase !== undefined && fault.phase !== 'before' && fault.phase !== 'after') {
      throw new InvalidSettingError('phase must be "before" or "after"')
    }
    if (rate <= 0 || rate > 1) throw new InvalidSettingError('rate must be above 0 and at most 1')
    if (latencyMs === undefined && status === undefined && !reset) {
      throw new InvalidSettingError('a fault needs latencyMs, status or reset')
    }
  }
}

const members: Record<keyof Fault, 'string' | 'number' | 'boolean'> = {
  operation: 'string',
  latencyMs: 'number',
  status: 'number',
  retryAfterSeconds: 'number',
  reset: 'boolean',
  phase: 'string',
  count: 'number',
  rate: 'number',
  seed: 'number',
}

/** The nth number of a seeded sequence in [0, 1). A hash needs no state, so order and restarts do not matter. */
function draw(seed: number, n: number): number {
  return createHash('sha256').update(`${seed}:${n}`).digest().readUInt32BE() / 2 ** 32
}

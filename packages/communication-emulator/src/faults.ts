import { createHash } from 'node:crypto'

/** Something that goes wrong on purpose. */
export interface Fault {
  /** An operation as the request log names it (`issueAccessToken`); without it, every operation of the service. */
  readonly operation?: string
  /** Milliseconds to wait before anything else. */
  readonly latencyMs?: number
  /** Answer with this status in place of the service's own. */
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

interface State {
  readonly id: number
  readonly fault: Fault
  seen: number
  strikes: number
}

export class FaultPlan {
  #nextId = 1
  #states: State[] = []

  /** Arms a fault and returns its id. */
  add(fault: Fault): number {
    const id = this.#nextId++
    this.#states.push({ id, fault, seen: 0, strikes: 0 })
    return id
  }

  list(): ArmedFault[] {
    return this.#states.map(({ id, fault, strikes }) => ({ id, strikes, ...fault }))
  }

  /** Disarms one fault. Returns whether there was one. */
  remove(id: number): boolean {
    const before = this.#states.length
    this.#states = this.#states.filter((state) => state.id !== id)
    return this.#states.length < before
  }

  clear(): void {
    this.#states = []
  }

  /** The fault that strikes this request: the first armed one that fits it. */
  strike(operation: string | undefined): Fault | undefined {
    for (const state of this.#states) {
      const { fault } = state
      if (fault.operation !== undefined && fault.operation !== operation) continue
      if (state.strikes >= (fault.count ?? Infinity)) continue
      state.seen++
      if (fault.rate !== undefined && draw(fault.seed ?? 0, state.seen) >= fault.rate) continue
      state.strikes++
      return fault
    }
    return undefined
  }
}

/** The nth number of a seeded sequence in [0, 1). A hash needs no state, so order and restarts do not matter. */
function draw(seed: number, n: number): number {
  return createHash('sha256').update(`${seed}:${n}`).digest().readUInt32BE() / 2 ** 32
}

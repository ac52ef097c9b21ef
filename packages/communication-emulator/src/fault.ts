import { InvalidSettingError } from './invalid-setting-error.ts'

/**
 * An injected error or delay of an operation, or of an event of chat. An operation requires `latencyMs`, `status` or `reset`, an
 * event `latencyMs`, `reset`, `drop` or `duplicate`.
 */
export interface Fault {
  /**
   * Operation or event that it applies to, as the request log names it (`issueAccessToken`, `chatMessageReceived`); default: every
   * identity operation.
   */
  readonly operation?: string
  /** Recipient of an event; default: all. */
  readonly communicationUserId?: string
  /** Delay in milliseconds; removing the fault ends it. Later events overtake a delayed one. */
  readonly latencyMs?: number
  /** Status of the response, from 200 to 599, in place of the service's own response. */
  readonly status?: number
  /** Value of `Retry-After` in seconds, sent with `status`. */
  readonly retryAfterSeconds?: number
  /** Closes the connection without a response, or without the event. */
  readonly reset?: boolean
  /** Loses the event. */
  readonly drop?: boolean
  /** Sends the event twice. */
  readonly duplicate?: boolean
  /** `after` performs the operation first, so that only its response is lost, or sends the event first. Default `before`. */
  readonly phase?: 'before' | 'after'
  /** Number of requests or deliveries that it applies to; default: all. */
  readonly count?: number
  /** Share of the requests that it applies to, above 0 and at most 1; default 1. */
  readonly rate?: number
  /** Selects the requests for `rate`; the same seed selects the same ones. Default 0. */
  readonly seed?: number
}

const types: Record<keyof Fault, 'string' | 'number' | 'boolean'> = {
  operation: 'string',
  communicationUserId: 'string',
  latencyMs: 'number',
  status: 'number',
  retryAfterSeconds: 'number',
  reset: 'boolean',
  drop: 'boolean',
  duplicate: 'boolean',
  phase: 'string',
  count: 'number',
  rate: 'number',
  seed: 'number',
}

const operationMembers = ['status', 'retryAfterSeconds'] as const
const eventMembers = ['drop', 'duplicate', 'communicationUserId'] as const

/** Throws `InvalidSettingError` unless a fault is valid and its operation is one of `operations` or `events`. */
export function checkFault(fault: Fault, operations: readonly string[], events: readonly string[]): void {
  const { operation, status, phase, rate = 1 } = fault
  for (const [name, value] of Object.entries(fault)) checkMember(name, value)
  const isEvent = operation !== undefined && events.includes(operation)
  if (operation !== undefined && !isEvent && !operations.includes(operation)) {
    throw new InvalidSettingError(`unknown operation ${operation}: use one of ${[...operations, ...events].join(', ')}`)
  }
  const unsuitable = (isEvent ? operationMembers : eventMembers).find((name) => fault[name] !== undefined)
  if (unsuitable !== undefined) {
    const valid = isEvent ? 'operations' : `events: set operation to one of ${events.join(', ')}`
    throw new InvalidSettingError(`${unsuitable} is valid only for ${valid}`)
  }
  if (status !== undefined && !(status >= 200 && status <= 599)) {
    throw new InvalidSettingError('status must be a whole number from 200 to 599')
  }
  if (phase !== undefined && phase !== 'before' && phase !== 'after') {
    throw new InvalidSettingError('phase must be "before" or "after"')
  }
  if (rate <= 0 || rate > 1) throw new InvalidSettingError('rate must be above 0 and at most 1')
  checkEffect(fault, { isEvent })
}

function checkEffect({ latencyMs, status, reset, drop, duplicate }: Fault, { isEvent }: { isEvent: boolean }): void {
  const effects = [status !== undefined, reset, drop, duplicate].filter(Boolean).length
  if (latencyMs === undefined && effects === 0) {
    const members = isEvent ? 'latencyMs, reset, drop or duplicate' : 'latencyMs, status or reset'
    throw new InvalidSettingError(`a fault${isEvent ? ' of an event' : ''} needs ${members}`)
  }
  if (isEvent && effects > 1) throw new InvalidSettingError('use only one of reset, drop and duplicate')
}

function checkMember(name: string, value: unknown): void {
  if (!Object.hasOwn(types, name)) {
    throw new InvalidSettingError(`unknown member ${name} of a fault: use ${Object.keys(types).join(', ')}`)
  }
  const type = types[name as keyof Fault]
  // Timers accept at most this many milliseconds, about 24 days.
  const isWhole = Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31
  if (typeof value !== type || (type === 'number' && name !== 'rate' && !isWhole)) {
    throw new InvalidSettingError(`${name} must be a ${type}${type === 'number' ? ', whole and not negative' : ''}`)
  }
}

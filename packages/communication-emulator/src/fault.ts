import { InvalidSettingError } from './invalid-setting-error.ts'

/** An injected error or delay. Requires `latencyMs`, `status` or `reset`. */
export interface Fault {
  /** Operation that it applies to, as the request log names it (`issueAccessToken`); default: every identity operation. */
  readonly operation?: string
  /** Delay in milliseconds; removing the fault ends it. */
  readonly latencyMs?: number
  /** Status of the response, from 200 to 599, in place of the service's own response. */
  readonly status?: number
  /** Value of `Retry-After` in seconds, sent with `status`. */
  readonly retryAfterSeconds?: number
  /** Closes the connection without a response. */
  readonly reset?: boolean
  /** `after` performs the operation first, so that only its response is lost. Default `before`. */
  readonly phase?: 'before' | 'after'
  /** Number of requests that it applies to; default: all. */
  readonly count?: number
  /** Share of the requests that it applies to, above 0 and at most 1; default 1. */
  readonly rate?: number
  /** Selects the requests for `rate`; the same seed selects the same ones. Default 0. */
  readonly seed?: number
}

const types: Record<keyof Fault, 'string' | 'number' | 'boolean'> = {
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

/** Throws `InvalidSettingError` unless a fault is valid and its operation is one of `operations`. */
export function checkFault(fault: Fault, operations: readonly string[]): void {
  const { operation, latencyMs, status, reset, phase, rate = 1 } = fault
  for (const [name, value] of Object.entries(fault)) checkMember(name, value)
  if (operation !== undefined && !operations.includes(operation)) {
    throw new InvalidSettingError(`unknown operation ${operation}: use one of ${operations.join(', ')}`)
  }
  if (status !== undefined && !(status >= 200 && status <= 599)) {
    throw new InvalidSettingError('status must be a whole number from 200 to 599')
  }
  if (phase !== undefined && phase !== 'before' && phase !== 'after') {
    throw new InvalidSettingError('phase must be "before" or "after"')
  }
  if (rate <= 0 || rate > 1) throw new InvalidSettingError('rate must be above 0 and at most 1')
  if (latencyMs === undefined && status === undefined && !reset) {
    throw new InvalidSettingError('a fault needs latencyMs, status or reset')
  }
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

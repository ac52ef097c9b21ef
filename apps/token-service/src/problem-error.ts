import { problemCatalogue, type ProblemCode } from '@acs-kit/token-contract'

const retrySpreadMs = 5000

/** Later by a little, differently each time: spreads those who were refused together. */
export function spread(retryAfterMs: number): number {
  return retryAfterMs + Math.random() * retrySpreadMs
}

export interface ProblemErrorOptions {
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
  readonly countsAgainstAddress?: boolean
  readonly logFields?: object
}

/** A failure as the contract has it: what it is thrown with is what the caller of the API gets to read. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: ProblemCode
  readonly statusCode: number
  /** Seconds after which a next try makes sense. */
  readonly retryAfter: number | undefined
  /** False where the request proved who sent it. */
  readonly countsAgainstAddress: boolean
  /** Further fields for the log. */
  readonly logFields: object | undefined

  constructor(code: ProblemCode, detail?: string, options: ProblemErrorOptions = {}) {
    super(detail ?? '', 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.statusCode = problemCatalogue[code].status
    const { retryAfterMs, countsAgainstAddress = true, logFields } = options
    this.countsAgainstAddress = countsAgainstAddress
    this.logFields = logFields
    this.retryAfter = retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1000))
  }
}

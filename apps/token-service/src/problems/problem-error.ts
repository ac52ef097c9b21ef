import { problemCatalogue, type ProblemCode } from '@acs-kit/token-contract'

interface ProblemErrorOptions {
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
  readonly countsAgainstAddress?: boolean
  readonly logFields?: object
}

/** A failure of the contract's catalogue. The message becomes the problem's `detail`, which the client can read. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: ProblemCode
  readonly statusCode: number
  /** Seconds to wait, as in the header `Retry-After`. */
  readonly retryAfter: number | undefined
  /** False if the request proved which user sent it. */
  readonly countsAgainstAddress: boolean
  /** Additional fields of the log line. */
  readonly logFields: object | undefined

  constructor(code: ProblemCode, detail?: string, options: ProblemErrorOptions = {}) {
    super(detail, options)
    this.code = code
    this.statusCode = problemCatalogue[code].status
    const { retryAfterMs, countsAgainstAddress = true, logFields } = options
    this.countsAgainstAddress = countsAgainstAddress
    this.logFields = logFields
    this.retryAfter = retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1000))
  }
}

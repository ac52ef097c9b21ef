import { ResponseError } from '../error-response.ts'

// guess(first-version-errors): 2020-07-20-preview2 declares no errors; it returns those of the later versions.
/** Error in the format of the service. */
export class ServiceError extends ResponseError {
  /** Whether the action itself failed: only then does the service send `api-supported-versions`. */
  readonly isFromAction: boolean

  constructor(
    status: number,
    code: string,
    message: string,
    options: {
      target?: string
      headers?: Record<string, string>
      /** The emulator's own explanation; the service has no such member. */
      innererror?: Record<string, unknown>
      isFromAction?: boolean
    } = {},
  ) {
    const { target, headers = {}, innererror, isFromAction = false } = options
    const error = { code, message, ...(target && { target }), ...(innererror && { innererror }) }
    super(message, { status, headers, body: { error }, ...(innererror && { explanation: innererror }) })
    this.isFromAction = isFromAction
  }
}

/** Error of the validation before the action runs: a missing or ill-typed member. */
export function modelError(message: string, target: string): ServiceError {
  return new ServiceError(400, 'ValidationError', message, { target })
}

/** Error of the validation by the action itself. */
export function validationError(message: string, target: string): ServiceError {
  return new ServiceError(400, 'ValidationError', message, { target, isFromAction: true })
}

// guess(denied): seen for a missing key only; the service's text for a wrong signature, date or header list is unknown.
/** Error for a request that is not authenticated; `code` and `message` give the reason. */
export function denied(code: string, message: string, details: Record<string, unknown> = {}): ServiceError {
  // differs(innererror)
  return new ServiceError(401, 'Denied', 'Denied by the resource provider.', {
    innererror: { code, message, ...details },
  })
}

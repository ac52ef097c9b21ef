import { errorResponse, ResponseError } from '../error-response.ts'
import type { RawRequest } from '../raw-request.ts'

/** Error response of the resource manager, in its envelope. */
export class ArmError extends ResponseError {
  readonly code: string

  constructor(status: number, code: string, message: string, headers?: Readonly<Record<string, string>>) {
    super(message, errorResponse(status, code, message, headers))
    this.code = code
  }
}

export function invalid(code: string, message: string): ArmError {
  return new ArmError(400, code, message)
}

export function notFound(path: string): ArmError {
  return new ArmError(404, 'NotFound', `Path not found: ${path}.`)
}

export function methodNotAllowed({ method, path }: RawRequest): ArmError {
  return new ArmError(405, 'MethodNotAllowed', `The method ${method} is not allowed at ${path}.`)
}

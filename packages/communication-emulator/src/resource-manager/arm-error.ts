import type { RawRequest, RawResponse } from '../raw-request.ts'

/** Error response of the resource manager, in its envelope. */
export class ArmError extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }

  toResponse(): RawResponse {
    return { status: this.status, headers: this.headers, body: { error: { code: this.code, message: this.message } } }
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

/** Throws an `ArmError` for any method but GET, the only one of a collection. */
export function requireGet(request: RawRequest): void {
  if (request.method !== 'GET') throw methodNotAllowed(request)
}

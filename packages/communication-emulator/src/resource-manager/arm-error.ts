import type { RawResponse } from '../raw-request.ts'

/** A refusal of the resource manager, in its envelope. */
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

import type { RawResponse } from './raw-request.ts'

/** Error that ends the handling of a request with a response. */
export class ResponseError extends Error {
  readonly response: RawResponse

  constructor(message: string, response: RawResponse) {
    super(message)
    this.response = response
  }
}

/** Returns the response of a `ResponseError`; throws any other error. */
export function getResponse(error: unknown): RawResponse {
  if (error instanceof ResponseError) return error.response
  throw error
}

/** Returns an error response in Azure's envelope. */
export function errorResponse(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): RawResponse {
  return { status, headers, body: { error: { code, message } } }
}

import { ResponseError } from '../error-response.ts'
import type { RawResponse } from '../raw-request.ts'

/**
 * Error of the chat routes as the service sends it, which differs from its specification.
 * Source: recordings of the SDKs for Android and Java, and issues up to 2026.
 */
export class ChatError extends ResponseError {
  constructor(
    status: number,
    code: string,
    options: {
      /** The service omits some messages. */
      message?: string
      headers?: Record<string, string>
      /** The emulator's own reason, for the log. */
      explanation?: { code: string; message: string }
    } = {},
  ) {
    const { message, headers, explanation } = options
    const response = chatErrorResponse(status, code, message, headers)
    super(message ?? explanation?.message ?? code, { ...response, ...(explanation && { explanation }) })
  }
}

/** Returns an error response in the envelope of the chat routes. */
export function chatErrorResponse(
  status: number,
  code: string,
  message?: string,
  headers: Readonly<Record<string, string>> = {},
): RawResponse {
  const error = { Code: code, ...(message !== undefined && { Message: message }), Details: [] }
  return { status, headers, body: { CommunicationError: error } }
}

/** Returns the error for a user who may not do something; `code` and `message` are the reason for the log. */
export function forbidden(code: string, message: string): ChatError {
  return new ChatError(403, 'Forbidden', {
    message: "The initiator doesn't have the permission to perform the requested operation.",
    explanation: { code, message },
  })
}

/**
 * Returns the error for an invalid member or parameter, with its reason for the log.
 * Source: https://github.com/Azure/Communication/issues/379, without a message.
 */
export function badRequest(reason: string): ChatError {
  return new ChatError(400, 'BadRequest', { explanation: { code: 'Invalid', message: reason } })
}

/** Returns the error for a missing or invalid access token: 401 without a body. */
export function unauthorized(code: string, message: string): ResponseError {
  return new ResponseError(message, { status: 401, explanation: { code, message } })
}

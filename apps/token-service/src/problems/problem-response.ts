import { CommunicationIdentityError, type FailureCode } from '@acs-kit/communication-identity'
import { problemCatalogue, type Problem, type ProblemCode } from '@acs-kit/token-contract'
import type { FastifyError } from 'fastify'
import { ProblemError } from './problem-error.ts'

/** Failures of Azure Communication Services that the client can act on. All others are internal errors. */
const communicationProblems: Partial<Record<FailureCode, ProblemCode>> = {
  throttled: 'communication-throttled',
  unavailable: 'communication-unavailable',
  'unsupported-by-driver': 'driver-unsupported',
}

/** Default `Retry-After`, for responses of Azure without one. */
const defaultRetryMs = 2000

/** Converts any error to a problem of the catalogue. Messages of unexpected errors are not exposed. */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof CommunicationIdentityError) {
    const code = communicationProblems[error.code]
    if (code === undefined) return new ProblemError('internal-error')
    if (code === 'driver-unsupported') return new ProblemError(code, error.message)
    return new ProblemError(code, undefined, { retryAfterMs: error.retryAfterMs ?? defaultRetryMs })
  }
  const { code, validation, validationContext, statusCode = 500, message } = error as FastifyError
  if (validation) return toInvalidRequest(validation, validationContext)
  // Thrown by a rate limit that a host app applies to all routes.
  if (statusCode === 429) return new ProblemError('rate-limited', message)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new ProblemError('body-too-large')
  return statusCode < 500 ? new ProblemError('request-invalid', message) : new ProblemError('internal-error')
}

function toInvalidRequest(
  [first]: NonNullable<FastifyError['validation']>,
  context: FastifyError['validationContext'],
): ProblemError {
  const { instancePath = '', keyword } = first ?? {}
  // The validator's own message for an unknown member is "schema is false".
  const message = keyword === 'boolean' ? 'is unknown: omit it' : (first?.message ?? 'is invalid')
  if (context === 'body' && /^\/scopes\/\d+$/.test(instancePath)) {
    return new ProblemError('scope-unknown', `${instancePath.slice(1)} ${message}`)
  }
  return new ProblemError('request-invalid', `${context ?? 'request'}${instancePath} ${message}`)
}

export function toHeaders({ code, retryAfter }: ProblemError): Record<string, string> {
  return {
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    ...(problemCatalogue[code].status === 401 && {
      'WWW-Authenticate': code === 'token-missing' ? 'Bearer' : 'Bearer error="invalid_token"',
    }),
    ...(code === 'permission-missing' && { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' }),
  }
}

export function toBody({ code, message, retryAfter }: ProblemError, requestId: string): Problem {
  const { status, title } = problemCatalogue[code]
  return {
    type: `urn:problem-type:acs-kit:${code}`,
    title,
    status,
    code,
    ...(message && { detail: message }),
    ...(retryAfter !== undefined && { retryAfter }),
    requestId,
  }
}

import { retryAfterSeconds } from './retry-after.ts'

/** Reason of a failed call, the `code` of `CommunicationIdentityError`. */
export type FailureCode =
  /** The identity does not exist or was deleted. */
  | 'identity-unknown'
  /** The identity belongs to another resource. */
  | 'identity-not-owned'
  /** The access key or Entra ID token is invalid or regenerated, or the role is missing. */
  | 'credentials-rejected'
  /** Too many requests; `retryAfterMs` is the delay of `Retry-After`, if any. */
  | 'throttled'
  /** Timeout, connection failure or server error. The request may have had an effect. */
  | 'unavailable'
  /** The service rejected the request. */
  | 'invalid-request'
  /** Not supported by this SDK; the message names the one to use. */
  | 'unsupported-by-driver'

/**
 * Error of a failed call. Branch on `code`. The message contains no text of the service; the SDK's error is the `cause`, which
 * may repeat a request with its signature, so do not log it whole.
 *
 * @example
 * if (error instanceof CommunicationIdentityError && error.code === 'throttled') console.log(error.retryAfterMs)
 */
export class CommunicationIdentityError extends Error {
  override readonly name = 'CommunicationIdentityError'
  readonly code: FailureCode
  readonly retryAfterMs: number | undefined
  /** Whether the request certainly had no effect, so that even a creation may be retried. */
  readonly hadNoEffect: boolean

  /**
   * @param code Reason of the failure.
   * @param message Text for logs, without anything from the service.
   * @param options The SDK's error as `cause`, and further properties of the error.
   */
  constructor(
    code: FailureCode,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined; hadNoEffect?: boolean } = {},
  ) {
    super(message, options)
    this.code = code
    this.retryAfterMs = options.retryAfterMs
    this.hadNoEffect = options.hadNoEffect ?? false
  }
}

/** Properties that the errors of both SDKs share. */
interface SdkError {
  readonly message?: string
  readonly code?: string
  readonly statusCode?: number
  readonly response?: {
    readonly headers: { get(name: string): string | undefined }
    readonly bodyAsText?: string | null
  }
}

/**
 * Converts an SDK's error. The new message has only the status and code of the response, because its text may repeat a signature.
 * With `isForbiddenRequest`, 403 rejects only this request: the credentials remain valid for others.
 */
export function toFailure(cause: unknown, { isForbiddenRequest = false } = {}): CommunicationIdentityError {
  if (cause instanceof CommunicationIdentityError) return cause
  const { statusCode, response, code: sdkCode } = cause as SdkError
  if (statusCode === undefined || response === undefined) return connectionFailure(cause, readCode(sdkCode))
  const { code, message } = readError(response.bodyAsText)
  const responseTime = Date.parse(response.headers.get('date') ?? '') || Date.now()
  const seconds = retryAfterSeconds(response.headers.get('retry-after'), responseTime)
  const retryAfterMs = seconds && seconds * 1000
  const fail = (failure: FailureCode, what: string, options = {}) =>
    new CommunicationIdentityError(failure, `${what} (${[statusCode, code].join(' ').trim()})`, { cause, ...options })
  if (/identity doesn't exist/i.test(message) || code === 'IdentityNotFound') {
    return fail('identity-unknown', 'the identity does not exist')
  }
  if (code === 'IdentityNotOwned') return fail('identity-not-owned', 'the identity belongs to another resource')
  // This is the token to exchange, not the credentials.
  if (code === 'InvalidAccessToken') return fail('invalid-request', "the service rejected the Teams user's token")
  if (statusCode === 401 || (statusCode === 403 && !isForbiddenRequest)) {
    return fail('credentials-rejected', 'the service rejected the credentials')
  }
  if (statusCode === 429) return fail('throttled', 'too many requests', { retryAfterMs, hadNoEffect: true })
  if (statusCode >= 400 && statusCode < 500 && statusCode !== 408) {
    return fail('invalid-request', 'the service rejected the request')
  }
  return fail('unavailable', 'the service failed', { retryAfterMs })
}

// Without a connection, no request was sent.
const unconnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])
const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function connectionFailure(cause: unknown, code = ''): CommunicationIdentityError {
  const message = untrusted.has(code)
    ? `the certificate of the service is not trusted (${code}): add its certificate authority to NODE_EXTRA_CA_CERTS`
    : `the service could not be reached (${code || 'no response'})`
  return new CommunicationIdentityError('unavailable', message, { cause, hadNoEffect: unconnected.has(code) })
}

function readError(text: string | null | undefined): { code: string; message: string } {
  try {
    const { error } = JSON.parse(text ?? '') as { error?: { code?: unknown; message?: unknown } }
    return { code: readCode(error?.code), message: String(error?.message) }
  } catch {
    return { code: '', message: '' }
  }
}

/** Returns an error code, or an empty string for text that may contain a key, signature or token. */
function readCode(code: unknown): string {
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : ''
}

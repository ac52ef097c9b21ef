import { retryAfterSeconds } from './retry-after.ts'

/** How a call can fail; `code` tells the cases apart. */
export type FailureCode =
  /** The identity does not exist, or no more. */
  | 'identity-unknown'
  /** The identity belongs to another resource. */
  | 'identity-not-owned'
  /** Key or token were refused: wrong, regenerated, or without the role. */
  | 'credentials-refused'
  /** Too many requests; `retryAfterMs` says when to come back, where the service said so. */
  | 'throttled'
  /** No answer in time, no connection, or a failure of the service's own. It may have acted all the same. */
  | 'unavailable'
  /** The service rejected the request itself. */
  | 'invalid-request'
  /** This SDK cannot do it; the message names the one that can. */
  | 'unsupported-by-driver'

export class CommunicationIdentityError extends Error {
  override readonly name = 'CommunicationIdentityError'
  readonly code: FailureCode
  readonly retryAfterMs: number | undefined
  /** Whether the request certainly had no effect, so that even a creation may be repeated. */
  readonly hadNoEffect: boolean

  constructor(
    code: FailureCode,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined; hadNoEffect?: boolean } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.retryAfterMs = options.retryAfterMs
    this.hadNoEffect = options.hadNoEffect ?? false
  }
}

interface SdkHeaders {
  get(name: string): string | undefined
}

/** The part of an SDK's error that both generations have. */
interface SdkError {
  readonly message?: string
  readonly code?: string
  readonly statusCode?: number
  readonly response?: {
    readonly headers: SdkHeaders
    readonly bodyAsText?: string | null
  }
}

/**
 * What an SDK threw, as one of our cases. The message is in our own words with the status and code of the response: its text may
 * repeat the request, signature included. The SDK's own error stays reachable as the cause.
 */
export function toFailure(cause: unknown): CommunicationIdentityError {
  if (cause instanceof CommunicationIdentityError) return cause
  const { statusCode, response, code: sdkCode } = cause as SdkError
  if (statusCode === undefined || response === undefined) return connectionFailure(cause, readCode(sdkCode))
  const { code, message } = readError(response.bodyAsText)
  const retryAfterMs = readRetryAfter(response.headers)
  const fail = (failure: FailureCode, what: string, options = {}) =>
    new CommunicationIdentityError(failure, `${what} (${[statusCode, code].join(' ').trim()})`, { cause, ...options })
  if (/identity doesn't exist/i.test(message) || code === 'IdentityNotFound') {
    return fail('identity-unknown', 'the identity does not exist')
  }
  if (code === 'IdentityNotOwned') return fail('identity-not-owned', 'the identity belongs to another resource')
  // The token that was to be exchanged, not the credentials.
  if (code === 'InvalidAccessToken') return fail('invalid-request', "the service rejected the Teams user's token")
  if (statusCode === 401 || statusCode === 403) {
    return fail('credentials-refused', 'the service rejected the credentials')
  }
  if (statusCode === 429) return fail('throttled', 'too many requests', { retryAfterMs, hadNoEffect: true })
  if (statusCode >= 400 && statusCode < 500 && statusCode !== 408) {
    return fail('invalid-request', 'the service rejected the request')
  }
  return fail('unavailable', 'the service failed', { retryAfterMs })
}

// A connection that never came about carried no request.
const unconnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])
const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function connectionFailure(cause: unknown, code = ''): CommunicationIdentityError {
  if (untrusted.has(code)) {
    return new CommunicationIdentityError(
      'unavailable',
      `the certificate of the service is not trusted (${code}): name its authority in NODE_EXTRA_CA_CERTS`,
      { cause },
    )
  }
  return new CommunicationIdentityError('unavailable', `the service could not be reached (${code || 'no response'})`, {
    cause,
    hadNoEffect: unconnected.has(code),
  })
}

function readError(text: string | null | undefined): { code: string; message: string } {
  try {
    const { error } = JSON.parse(text ?? '') as { error?: { code?: unknown; message?: unknown } }
    return { code: readCode(error?.code), message: String(error?.message) }
  } catch {
    return { code: '', message: '' }
  }
}

/** A word that is shorter than any key, signature or token; else empty. */
function readCode(code: unknown): string {
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : ''
}

/** Seconds or a date, as HTTP has it; in milliseconds from now. */
function readRetryAfter(headers: SdkHeaders): number | undefined {
  const now = Date.parse(headers.get('date') ?? '') || Date.now()
  const seconds = retryAfterSeconds(headers.get('retry-after'), now)
  return seconds && seconds * 1000
}

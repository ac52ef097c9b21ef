import { minSkewMs, systemClock, type Clock } from './clock.ts'
import type { ProblemCode } from './contract.ts'
import { retryAfterSeconds } from './retry-after.ts'
import { TokenError } from './token-error.ts'

/**
 * Returns the access token of the app's own sign-in. `refresh` is true after the service rejected the previous one, which
 * must then be renewed. If it rejects, so does the call, with `sign-in-failed`.
 */
export type GetSignInToken = (context: {
  readonly refresh: boolean
  readonly signal: AbortSignal | undefined
}) => Promise<string> | string

export interface ServiceClientOptions {
  /** Base URL with a trailing slash. */
  readonly url: string
  readonly getSignInToken: GetSignInToken
  readonly fetch?: typeof globalThis.fetch
  readonly clock?: Clock
}

export interface ServiceRequest {
  /** Method and path. */
  readonly route: string
  /** Default: the current one. */
  readonly signInToken?: string
  readonly body?: object
  readonly signal: AbortSignal
  /** Checks the body of a success. Default: there must be none. */
  readonly isValid?: ((body: unknown) => boolean) | undefined
}

export interface ServiceResponse {
  readonly status: number
  readonly body: unknown
}

/** Sends requests to the token service as the signed-in user. */
export class ServiceClient {
  readonly #options: ServiceClientOptions
  readonly #clock: Clock
  /** Offset of the service's clock from the machine's. */
  #skewMs = 0

  constructor(options: ServiceClientOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Returns the service's time: the machine's, corrected by the `Date` headers of responses. */
  now(): number {
    return this.#clock.now() + this.#skewMs
  }

  async getSignInToken(signal: AbortSignal | undefined, refresh = false): Promise<string> {
    try {
      // Fails unless it is a string.
      return (await this.#options.getSignInToken({ refresh, signal })).trim()
    } catch (cause) {
      throw new TokenError('sign-in-failed', 'getSignInToken failed.', { cause })
    }
  }

  /** Renews a rejected sign-in token once. Rejects with a `TokenError`. */
  async send({ signInToken, ...request }: ServiceRequest): Promise<ServiceResponse> {
    const first = signInToken ?? (await this.getSignInToken(request.signal))
    try {
      return await this.#fetch(request, first)
    } catch (error) {
      if ((error as TokenError).status !== 401) throw error
      const second = await this.getSignInToken(request.signal, true)
      if (second === first) throw error
      if (getUser(second) === getUser(first)) return this.#fetch(request, second)
      throw new TokenError('invalidated', 'User changed: call again.', { cause: error })
    }
  }

  async #fetch({ route, body, signal, isValid }: ServiceRequest, signInToken: string): Promise<ServiceResponse> {
    // Read on each call, since `globalThis.fetch` may be replaced later.
    const { url, fetch = globalThis.fetch } = this.#options
    const [method, path] = route.split(' ') as [string, string]
    let response: Response
    let text: string
    try {
      response = await fetch(url + path, {
        method,
        headers: { Authorization: `Bearer ${signInToken}`, ...(body && { 'Content-Type': 'application/json' }) },
        body: JSON.stringify(body),
        signal,
        redirect: 'error',
      })
      text = await response.text()
    } catch (cause) {
      throw new TokenError('network-failed', `${route}: service unreachable.`, { cause })
    }
    const { ok, status, headers } = response
    const responseTime = this.#readDate(headers.get('Date'))
    // Error messages are logged, and a response may repeat the sign-in token.
    const content = parse(ok ? text : text.replaceAll(signInToken, ''))
    if (ok && (isValid ? isValid(content) : status > 200)) return { status, body: content }
    // A proxy in front of the service may respond in its place.
    const isProblem = headers.get('Content-Type')?.startsWith('application/problem+json')
    const {
      code = 'response-invalid',
      title = `${route}: unexpected response (${status}).`,
      detail = title,
      requestId,
    } = ((isProblem && content) || {}) as Problem
    const retryAfter = retryAfterSeconds(headers.get('Retry-After'), responseTime)
    throw new TokenError(code, detail, { status, retryAfter, requestId })
  }

  /** Corrects the skew by a `Date` header, which some services hide from pages. Returns the time of the response. */
  #readDate(date: string | null): number {
    const time = Date.parse(date ?? '')
    const skewMs = time - this.#clock.now()
    if (Math.abs(skewMs - this.#skewMs) >= minSkewMs) this.#skewMs = Math.abs(skewMs) < minSkewMs ? 0 : skewMs
    return time || this.now()
  }
}

interface Problem {
  readonly code?: ProblemCode
  readonly title?: string
  readonly detail?: string
  readonly requestId?: string
}

/** Returns undefined for invalid JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Returns a key for the user of a sign-in token, if it is readable. Only the service verifies the token. */
export function getUser(signInToken: string): string | undefined {
  const claims = parse(decode(signInToken.split('.')[1] ?? '')) as
    | { iss?: string; oid?: string; sub?: string }
    | undefined
  return claims && JSON.stringify([claims.iss, claims.oid ?? claims.sub])
}

/** Decodes base64url to a string of bytes; not every runtime has `atob`. */
function decode(text: string): string {
  let bits = 0
  return text.replace(/./g, (digit, index: number) => {
    const code = digit.charCodeAt(0)
    bits = (bits << 6) | (code > 96 ? code - 71 : code > 94 ? 63 : code > 64 ? code - 65 : code > 47 ? code + 4 : 62)
    return index % 4 ? String.fromCharCode((bits >> (6 - 2 * (index % 4))) & 255) : ''
  })
}

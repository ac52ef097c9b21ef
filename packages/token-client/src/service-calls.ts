import { throwIfAborted } from './abort.ts'
import type { ProblemCode } from './contract.ts'
import { retryAfterSeconds } from './retry-after.ts'
import { TokenError } from './token-error.ts'

/** `refresh` asks for another one than last time, which the service refused. Rejecting ends the call with `sign-in-failed`. */
export type GetSignInToken = (context: {
  readonly refresh: boolean
  readonly signal: AbortSignal | undefined
}) => Promise<string> | string

export interface ServiceCallsOptions {
  /** Base address, with a slash at its end. */
  readonly url: string
  readonly getSignInToken: GetSignInToken
  readonly fetch: typeof globalThis.fetch | undefined
  /** Receives the `Date` of each response, null where a service hides it from pages, and returns the time. */
  readonly onDate: (date: string | null) => number
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  /** The sign-in token to begin with; default: asked for. */
  readonly signInToken?: string
  readonly body?: object
  readonly signal?: AbortSignal | undefined
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Requests to the token service as the signed-in user. */
export class ServiceCalls {
  readonly #options: ServiceCallsOptions

  constructor(options: ServiceCallsOptions) {
    this.#options = options
  }

  async getSignInToken(signal: AbortSignal | undefined, refresh = false): Promise<string> {
    try {
      return await this.#options.getSignInToken({ refresh, signal })
    } catch (cause) {
      throw new TokenError('sign-in-failed', 'No sign-in token.', { cause })
    }
  }

  /** A refused sign-in token is replaced once. Rejects with a `TokenError`. */
  async perform({ signInToken, ...call }: Call): Promise<Answer> {
    const first = signInToken ?? (await this.getSignInToken(call.signal))
    try {
      return await this.#send(call, first)
    } catch (error) {
      if ((error as TokenError).status !== 401) throw error
      const second = await this.getSignInToken(call.signal, true)
      if (second === first) throw error
      if (personOf(second) === personOf(first)) return this.#send(call, second)
      throw new TokenError('invalidated', 'Another user signed in.', { cause: error })
    }
  }

  async #send({ method, path, body, signal }: Call, signInToken: string): Promise<Answer> {
    // Read at each call: it may be replaced later.
    const { url, fetch = globalThis.fetch, onDate } = this.#options
    const place = `${method} ${path}`
    try {
      const response = await fetch(url + path, {
        method,
        headers: { Authorization: `Bearer ${signInToken}`, ...(body && { 'Content-Type': 'application/json' }) },
        body: body ? JSON.stringify(body) : null,
        signal: signal ?? null,
        redirect: 'error',
      })
      const now = onDate(response.headers.get('Date'))
      const text = await response.text()
      // The message is for a log, and whatever rejects a request may repeat its sign-in token.
      if (!response.ok) throw refusalOf(response, text.replaceAll(signInToken, ''), place, now)
      return { status: response.status, body: text && parse(text, place) }
    } catch (error) {
      if (error instanceof TokenError) throw error
      throwIfAborted(signal)
      throw new TokenError('network-failed', `${place}: service unreachable.`, { cause: error })
    }
  }
}

interface Problem {
  readonly code?: ProblemCode
  readonly title?: string
  readonly detail?: string
  readonly requestId?: string
}

function refusalOf({ status, headers }: Response, text: string, place: string, now: number): TokenError {
  // Anything may stand in front of a service, and respond in its place.
  const isProblem = headers.get('Content-Type')?.startsWith('application/problem+json')
  const problem = isProblem ? parse(text, place) : { title: `${place}: ${status}, not from the service.` }
  const { code = 'response-invalid', title = place, detail = title, requestId } = problem as Problem
  const retryAfter = retryAfterSeconds(headers.get('Retry-After'), now)
  return new TokenError(code, detail, { status, retryAfter, requestId })
}

function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new TokenError('response-invalid', `${place}: no JSON.`)
  }
}

/** Who signed in, if the token tells: the service itself is who verifies it. */
export function personOf(signInToken: string): string | undefined {
  try {
    const { iss, tid, oid, sub } = JSON.parse(decode(signInToken.split('.')[1]!)) as Record<string, unknown>
    return JSON.stringify(oid === undefined ? [iss, sub] : [tid, oid])
  } catch {
    return undefined
  }
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

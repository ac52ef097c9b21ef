import { HttpClient, type HttpResponse } from '@acs-kit/test-support/http-client'
import type { TokenResponse } from '@acs-kit/token-contract'

export interface ServiceResponse extends HttpResponse {
  /** Time from the first byte sent to the last byte received. */
  readonly durationMs: number
}

/** A client of one instance of the token service, for any number of users. */
export class ServiceClient {
  readonly http: HttpClient
  readonly #signIn: (user: string) => Promise<string>
  /** Bodies of all error responses, which must not contain secrets. */
  readonly errorBodies: string[] = []

  constructor(url: string, signIn: (user: string) => Promise<string>) {
    this.http = new HttpClient(Number(new URL(url).port))
    this.#signIn = signIn
  }

  /** Sends a request, such as `POST /v1/token`, as a user. Rejects if the connection ends before the response does. */
  async call(request: string, user: string, body?: unknown): Promise<ServiceResponse> {
    const [method = '', path = ''] = request.split(' ')
    const authorization = `Bearer ${await this.#signIn(user)}`
    const start = performance.now()
    const response = await this.http.send(
      body === undefined
        ? { method, path, headers: { authorization } }
        : { method, path, headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify(body) },
    )
    if (response.status >= 400) this.errorBodies.push(response.text)
    return { ...response, durationMs: performance.now() - start }
  }

  /** Returns a token of the user, or undefined if the request is rejected. */
  async token(user: string, options: { refresh?: boolean } = {}): Promise<TokenResponse | undefined> {
    const { status, text } = await this.call('POST /v1/token', user, options)
    return status === 200 ? (JSON.parse(text) as TokenResponse) : undefined
  }
}

/** Returns how a response differs from the contract's 503 for an unavailable upstream, or undefined. */
export function findUnavailableFlaw({ status, headers, text }: HttpResponse): string | undefined {
  if (status !== 503) return `the status is ${status}, expected 503: ${text}`
  if (!headers['content-type']?.startsWith('application/problem+json')) return 'the response is not problem+json'
  const { code, retryAfter } = JSON.parse(text) as { code: string; retryAfter?: number }
  if (!/^(?:communication|store)-/.test(code)) return `unexpected code ${code}`
  if (headers['retry-after'] !== String(retryAfter)) return `unexpected Retry-After ${headers['retry-after']}`
  return undefined
}

import type { ConformanceOptions } from '../conformance.ts'
import type { TokenResponse } from '../contract.ts'
import { expectEqual, type ServiceResponse } from './expectations.ts'
import { parseJson } from './json.ts'

/** The users of one case, whose identities are deleted at its end. */
export class TestUsers {
  readonly #options: ConformanceOptions
  readonly #baseUrl: string
  readonly #id = crypto.randomUUID()
  readonly #signedIn = new Set<string>()

  constructor(options: ConformanceOptions) {
    this.#options = options
    this.#baseUrl = String(options.url).replace(/\/$/, '')
  }

  async getToken(user: string, body: object = {}): Promise<TokenResponse> {
    const response = await this.send('POST', '/v1/token', user, {}, body)
    expectEqual('status', response.status, 200, response)
    const { token, communicationUserId } = (response.body ?? {}) as Partial<TokenResponse>
    const types = `${typeof token} and ${typeof communicationUserId}`
    expectEqual('token and communicationUserId', types, 'string and string', response)
    return response.body as TokenResponse
  }

  async send(
    method: string,
    path: string,
    user: string | undefined,
    headers: Record<string, string> = {},
    body?: unknown,
  ): Promise<ServiceResponse> {
    if (user !== undefined) this.#signedIn.add(user)
    const { fetch = globalThis.fetch, getSignInToken } = this.#options
    const response = await fetch(`${this.#baseUrl}${path}`, {
      method,
      headers: {
        ...(user !== undefined && { Authorization: `Bearer ${await getSignInToken(`${user}-${this.#id}`)}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('Content-Type') ?? '')
    const route = `${method} ${path}`
    const json = isJson ? parseJson(text) : text
    if (json === undefined) throw new Error(`${route}: expected valid JSON`)
    return { route, status: response.status, headers: response.headers, body: json }
  }

  async deleteIdentities(): Promise<void> {
    // A failed clean-up must not hide the failure of the case.
    for (const user of this.#signedIn) await this.send('DELETE', '/v1/identity', user).catch(() => undefined)
  }
}

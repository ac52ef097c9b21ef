export interface ServiceAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** From the first byte sent to the last one read. */
  readonly ms: number
}

export interface IssuedToken {
  readonly communicationUserId: string
  readonly token: string
  readonly expiresOn: string
}

/** Calls one instance of the token service as its users do, and remembers what must not be seen elsewhere. */
export class ServiceClient {
  readonly address: string
  readonly #signIn: (user: string) => Promise<string>
  readonly refusals: string[] = []

  constructor(address: string, signIn: (user: string) => Promise<string>) {
    this.address = address
    this.#signIn = signIn
  }

  /** Rejects when the connection ends before the answer does. */
  async call(request: string, user: string, body?: unknown): Promise<ServiceAnswer> {
    const [method = '', path = ''] = request.split(' ')
    const start = performance.now()
    const response = await fetch(`${this.address}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await this.#signIn(user)}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const { status, headers } = response
    const text = await response.text()
    if (status >= 400) this.refusals.push(text)
    return { status, headers, text, ms: performance.now() - start }
  }

  /** The user's token, or undefined where that is refused. */
  async token(user: string, options: { refresh?: boolean } = {}): Promise<IssuedToken | undefined> {
    const { status, text } = await this.call('POST /v1/token', user, options)
    if (status !== 200) return undefined
    return JSON.parse(text) as IssuedToken
  }
}

/** What is wrong with a refusal that should be a 503 of the contract; undefined when nothing is. */
export function findRefusalFlaw({ status, headers, text }: ServiceAnswer): string | undefined {
  if (status !== 503) return `the status is ${status}: ${text}`
  if (!headers.get('content-type')?.startsWith('application/problem+json')) return 'it is no problem+json'
  const { code, retryAfter } = JSON.parse(text) as { code: string; retryAfter?: number }
  if (!/^(?:communication|store)-/.test(code)) return `the code is ${code}`
  if (headers.get('retry-after') !== String(retryAfter)) return `Retry-After is ${headers.get('retry-after')}`
  return undefined
}

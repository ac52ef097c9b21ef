import type { ProblemCode, TokenResponse } from './contract.ts'

export interface ConformanceOptions {
  /** Of the service to be looked at. */
  readonly url: string | URL
  /**
   * A valid sign-in token of a user; the same name is the same user. Their identities are deleted at the end of each case.
   * Each case has users of its own, `alice-<id>` and maybe `bob-<id>`. Where users can't be made up, one may be every alice
   * and another every bob, if neither has an identity and one case runs at a time.
   */
  readonly getSignInToken: (user: string) => Promise<string> | string
  /** An origin whose pages may call the service; without it, what pages need is not looked at. */
  readonly allowedOrigin?: string
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch
}

export interface ConformanceCase {
  readonly name: string
  /** How many users it takes: 1 is alice alone. */
  readonly users: 1 | 2
  /** Rejects with an `Error` that says what was expected, and what came. */
  readonly run: () => Promise<void>
}

interface Answer {
  readonly place: string
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** What a service has to do to be one for this client, a case each, for any test runner: `test(name, run)`. */
export function conformanceCases(options: ConformanceOptions): ConformanceCase[] {
  return Object.entries(cases)
    .filter(([name]) => options.allowedOrigin !== undefined || !name.startsWith('pages'))
    .map(([name, check]) => ({
      name,
      users: check.users ?? 1,
      async run() {
        await using users = new Users(options)
        await check(users, options.allowedOrigin ?? '')
      },
    }))
}

interface Check {
  (users: Users, origin: string): Promise<void>
  readonly users?: 2
}

const cases: Record<string, Check> = {
  'a token is of the user, for as long as it says': async (users) => {
    const { token, expiresOn, communicationUserId, scopes, endpoint } = await users.token('alice')
    expect('a token', typeof token, 'string')
    expect('communicationUserId', communicationUserId.startsWith('8:acs:'), true)
    expect('scopes', Array.isArray(scopes) && scopes.length > 0, true)
    expect('endpoint', URL.canParse(endpoint), true)
    const minutes = (Date.parse(expiresOn) - Date.now()) / 60_000
    expect(`an end 20 minutes to a day ahead, and not ${minutes} minutes:`, minutes > 19 && minutes < 1450, true)
  },
  'the same user keeps the identity, another has another': ofTwo(async (users) => {
    const [first, second, other] = [await users.token('alice'), await users.token('alice'), await users.token('bob')]
    expect('the identity of the second token', second.communicationUserId, first.communicationUserId)
    expect('another identity', other.communicationUserId === first.communicationUserId, false)
  }),
  'refresh brings another token, for the same identity': async (users) => {
    const first = await users.token('alice')
    await nextSecond()
    const second = await users.token('alice', { refresh: true })
    expect('another token', first.token === second.token, false)
    expect('the identity', second.communicationUserId, first.communicationUserId)
  },
  'many first requests at once make one identity': async (users) => {
    const requests = Array.from({ length: 10 }, () => users.token('alice'))
    // When one fails, none of the others may make an identity after it is deleted.
    await Promise.allSettled(requests)
    const answers = await Promise.all(requests)
    expect('identities', new Set(answers.map(({ communicationUserId }) => communicationUserId)).size, 1)
  },
  'a token has the scope that was asked for': async (users) => {
    for (const scope of ['chat', 'voip'])
      expect('scopes', (await users.token('alice', { scopes: [scope] })).scopes.join(), scope)
  },
  'the identity is told, after a token': async (users) => {
    refused(await users.send('GET', '/v1/identity', 'alice'), 404, 'identity-unknown')
    const { communicationUserId } = await users.token('alice')
    const { status, body } = await users.send('GET', '/v1/identity', 'alice')
    expect('status', status, 200)
    expect('communicationUserId', (body as TokenResponse).communicationUserId, communicationUserId)
  },
  'after a revocation there is another token, for the same identity': async (users) => {
    const before = await users.token('alice')
    done(await users.send('POST', '/v1/token/revoke', 'alice'))
    await nextSecond()
    const after = await users.token('alice')
    expect('another token', after.token === before.token, false)
    expect('the identity', after.communicationUserId, before.communicationUserId)
  },
  'after a deletion there is another identity': async (users) => {
    const before = await users.token('alice')
    for (let round = 0; round < 2; round++) done(await users.send('DELETE', '/v1/identity', 'alice'))
    refused(await users.send('GET', '/v1/identity', 'alice'), 404, 'identity-unknown')
    const after = await users.token('alice')
    expect('another identity', after.communicationUserId === before.communicationUserId, false)
  },
  'nobody is served without a sign-in': async (users) => {
    for (const [method, path] of [
      ['POST', '/v1/token'],
      ['POST', '/v1/token/revoke'],
      ['GET', '/v1/identity'],
      ['DELETE', '/v1/identity'],
    ] as const) {
      const answer = await users.send(method, path, undefined)
      refused(answer, 401, 'token-missing')
      expect('WWW-Authenticate', answer.headers.get('WWW-Authenticate')?.startsWith('Bearer'), true)
      refused(
        await users.send(method, path, undefined, { Authorization: 'Bearer no.such.token' }),
        401,
        'token-invalid',
      )
    }
  },
  'nobody can be somebody else': ofTwo(async (users) => {
    const { communicationUserId } = await users.token('bob')
    refused(await users.send('POST', '/v1/token', 'alice', {}, { communicationUserId }), 400, 'request-invalid')
    const query = `/v1/token?communicationUserId=${encodeURIComponent(communicationUserId)}`
    const answer = await users.send('POST', query, 'alice', {}, {})
    if (answer.status === 200)
      expect('another identity', (answer.body as TokenResponse).communicationUserId === communicationUserId, false)
  }),
  'what does not fit the contract is refused': async (users) => {
    const post = (body: unknown) => users.send('POST', '/v1/token', 'alice', {}, body)
    refused(await post({ scopes: ['pstn'] }), 400, 'scope-unknown')
    refused(await post({ scopes: 'chat' }), 400, 'request-invalid')
    refused(await post({ scopes: [] }), 400, 'request-invalid')
    refused(await post({ expiresInMinutes: 59 }), 400, 'request-invalid')
    refused(await post({ expiresInMinutes: 1441 }), 400, 'request-invalid')
    refused(await post({ surprise: true }), 400, 'request-invalid')
    refused(await users.send('GET', '/v1/nothing', 'alice'), 404, 'route-unknown')
  },
  'nothing is kept on the way, and every answer tells the time': async (users) => {
    const { headers } = await users.send('POST', '/v1/token', 'alice', {}, {})
    expect('Cache-Control', headers.get('Cache-Control'), 'no-store')
    expect('Date', Date.parse(headers.get('Date') ?? '') > 0, true)
  },
  'pages of an allowed origin may call, and read refusals': async (users, origin) => {
    const preflight = await users.send('OPTIONS', '/v1/token', undefined, {
      Origin: origin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,content-type',
    })
    expect('the preflight’s Access-Control-Allow-Origin', preflight.headers.get('Access-Control-Allow-Origin'), origin)
    for (const user of ['alice', undefined]) {
      const { headers } = await users.send('POST', '/v1/token', user, { Origin: origin }, {})
      expect('Access-Control-Allow-Origin', headers.get('Access-Control-Allow-Origin'), origin)
      const exposed = (headers.get('Access-Control-Expose-Headers') ?? '').toLowerCase()
      for (const name of ['date', 'retry-after']) expect(`${name} exposed`, exposed.includes(name), true)
    }
  },
  'pages of other origins may not': async (users) => {
    const { headers } = await users.send('POST', '/v1/token', 'alice', { Origin: 'https://elsewhere.example' }, {})
    expect('Access-Control-Allow-Origin', headers.get('Access-Control-Allow-Origin'), null)
  },
}

function ofTwo(check: Check): Check {
  return Object.assign(check, { users: 2 } as const)
}

/** Users of a case's own. */
class Users implements AsyncDisposable {
  readonly #options: ConformanceOptions
  readonly #base: string
  readonly #suffix = crypto.randomUUID()
  readonly #seen = new Set<string>()

  constructor(options: ConformanceOptions) {
    this.#options = options
    this.#base = String(options.url).replace(/\/$/, '')
  }

  async token(user: string, body: object = {}): Promise<TokenResponse> {
    const answer = await this.send('POST', '/v1/token', user, {}, body)
    if (answer.status !== 200) throw unexpected('status', answer.status, 200, answer)
    const { token, communicationUserId } = (answer.body ?? {}) as Partial<TokenResponse>
    const types = `${typeof token} and ${typeof communicationUserId}`
    if (types !== 'string and string')
      throw unexpected('token and communicationUserId', types, 'string and string', answer)
    return answer.body as TokenResponse
  }

  async send(
    method: string,
    path: string,
    user: string | undefined,
    headers: Record<string, string> = {},
    body?: unknown,
  ): Promise<Answer> {
    if (user !== undefined) this.#seen.add(user)
    const { fetch = globalThis.fetch, getSignInToken } = this.#options
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: {
        ...(user !== undefined && { Authorization: `Bearer ${await getSignInToken(`${user}-${this.#suffix}`)}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('Content-Type') ?? '')
    const place = `${method} ${path}`
    return { place, status: response.status, headers: response.headers, body: isJson ? parse(text, place) : text }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What failed before says more than what fails because of it.
    for (const user of this.#seen) await this.send('DELETE', '/v1/identity', user).catch(() => undefined)
  }
}

function done(answer: Answer): void {
  if (answer.status !== 204 && answer.status !== 202) throw unexpected('status', answer.status, '204 or 202', answer)
}

function refused(answer: Answer, status: number, code: ProblemCode): void {
  if (answer.status !== status) throw unexpected('status', answer.status, status, answer)
  const type = answer.headers.get('Content-Type') ?? ''
  if (!type.startsWith('application/problem+json'))
    throw unexpected('Content-Type', type, 'application/problem+json', answer)
  const problem = (answer.body ?? {}) as Problem
  if (problem.code !== code) throw unexpected('code', problem.code, code, answer)
  if (problem.status !== status) throw unexpected('status in the body', problem.status, status, answer)
}

interface Problem {
  readonly status?: unknown
  readonly code?: unknown
}

function unexpected(what: string, came: unknown, expected: unknown, { place, body }: Answer): Error {
  const { code } = (body ?? {}) as Problem
  const reason = what === 'status' && code !== undefined ? ` with code ${JSON.stringify(code)}` : ''
  return new Error(`${place}: expected ${what} ${String(expected)}, got ${JSON.stringify(came)}${reason}`)
}

/** What the engine says of broken JSON repeats some of it, which may be a token. */
function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${place}: expected JSON, got something else`)
  }
}

function expect(what: string, came: unknown, expected: unknown): void {
  if (came !== expected) throw new Error(`expected ${what} ${String(expected)}, got ${JSON.stringify(came)}`)
}

/** Tokens of the same second may be the same. */
function nextSecond(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 1100))
}

import { beforeEach, describe, expect, it } from 'vitest'
import {
  customTokenSource,
  literalTokenSource,
  TokenError,
  tokenSource,
  type ServiceTokenSourceOptions,
} from '../src/index.ts'
import { responseTime, retryAfterCases } from '@acs-kit/test-support/retry-after-cases'
import { FakeService, createSignInToken } from './fake-service.ts'
import { VirtualClock } from './virtual-clock.ts'

const minute = 60_000
const hour = 60 * minute
const unavailable = { status: 503, code: 'communication-unavailable' }

let clock: VirtualClock
let service: FakeService
let user = 'alice'
let errors: unknown[]

beforeEach(() => {
  clock = new VirtualClock()
  service = new FakeService(clock)
  user = 'alice'
  errors = []
})

function createSource(options: Partial<ServiceTokenSourceOptions> = {}) {
  return tokenSource({
    url: 'https://tokens.example.com',
    getSignInToken: () => createSignInToken(user),
    fetch: service.fetch,
    clock,
    onError: (error) => errors.push(error),
    ...options,
  })
}

/** Advances the clock until the promise settles. Returns its value or error. */
async function settle<T>(promise: Promise<T>, limit = 2 * minute): Promise<T | TokenError> {
  const settled = promise.catch((error: unknown) => error as TokenError)
  await clock.advanceUntil(settled, limit)
  return settled
}

it('removes the sign-in token from an error message that repeats it', async () => {
  const token = createSignInToken(user)
  const problem = { code: 'token-invalid', title: token, detail: `Authorization: Bearer ${token} is invalid` }
  const headers = { 'Content-Type': 'application/problem+json' }
  using source = createSource({ fetch: async () => new Response(JSON.stringify(problem), { status: 400, headers }) })
  const error = await settle(source.getToken())
  expect(error).toMatchObject({ code: 'token-invalid', status: 400, message: 'Authorization: Bearer  is invalid' })
})

describe('getToken', () => {
  it('returns the cached token for equal scopes in any order', async () => {
    using source = createSource()
    const first = await source.getToken({ scopes: ['voip', 'chat'] })
    expect(await source.getToken({ scopes: ['chat', 'voip', 'chat'] })).toBe(first)
    expect(await source.getToken({ scopes: ['chat'] })).not.toBe(first)
    expect(service.requests.map(({ body }) => body.scopes)).toEqual([['chat', 'voip'], ['chat']])
  })

  it('shares one fetch between concurrent callers', async () => {
    using source = createSource()
    service.latencyMs = 100
    const all = Promise.all(Array.from({ length: 50 }, () => source.getToken()))
    await clock.advance(100)
    expect(new Set(await all).size).toBe(1)
    expect(service.requests).toHaveLength(1)
  })

  it('refreshes a token once in the background before it expires', async () => {
    using source = createSource()
    const first = await source.getToken()
    await clock.advance(23.6 * hour)
    expect(await source.getToken()).toBe(first)
    await clock.advance(10 * minute)
    const second = await source.getToken()
    expect(second).not.toBe(first)
    await clock.advance(9 * 24 * hour)
    expect(service.requests.length).toBeGreaterThanOrEqual(10)
    expect(service.requests.length).toBeLessThanOrEqual(11)
    expect(errors).toEqual([])
  })

  it('adds jitter, so that tokens fetched together are refreshed apart', async () => {
    using early = createSource({ random: () => 0.99 })
    using late = createSource({ random: () => 0.01 })
    await early.getToken()
    service.requests.length = 0
    user = 'bob'
    await late.getToken()
    service.requests.length = 0
    await clock.advance(24 * hour)
    const [first, second] = service.requests
    expect(second!.at - first!.at).toBeGreaterThan(4 * minute)
  })

  it('refreshes after the machine slept', async () => {
    using source = createSource()
    const first = await source.getToken()
    clock.sleep(23.9 * hour)
    await clock.advance(31_000)
    expect(service.requests).toHaveLength(2)
    const second = await source.getToken()
    expect(second).not.toBe(first)
    clock.sleep(30 * hour)
    expect(Date.parse((await source.getToken()).expiresOn)).toBeGreaterThan(clock.now())
  })
})

describe('after a failed refresh', () => {
  it('retries with exponential backoff and returns the old token meanwhile', async () => {
    using source = createSource({ random: () => 1 })
    const first = await source.getToken()
    service.faults = () => unavailable
    await clock.advance(23.75 * hour)
    expect(await source.getToken()).toBe(first)
    const pauses = service.requests.slice(1).map(({ at }, index) => at - service.requests[index]!.at)
    expect(pauses.slice(1, 8).map((pause) => Math.round(pause / 1000))).toEqual([1, 2, 4, 8, 16, 20, 20])
    expect(errors[0]).toMatchObject({ code: 'communication-unavailable', status: 503, requestId: 'request-1' })
    service.faults = () => undefined
    await clock.advance(61_000)
    expect(await source.getToken()).not.toBe(first)
  })

  it('waits as long as Retry-After requests', async () => {
    using source = createSource()
    await source.getToken()
    service.faults = () => ({ ...unavailable, retryAfter: 240 })
    await clock.advance(23.6 * hour)
    service.requests.length = 0
    await clock.advance(20 * minute)
    const pauses = service.requests.slice(1).map(({ at }, index) => at - service.requests[index]!.at)
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(240_000)
  })

  it('never returns the token of the previous user', async () => {
    using source = createSource()
    await source.getToken()
    user = 'bob'
    source.invalidate()
    service.faults = () => 'reset'
    expect(await settle(source.getToken())).toMatchObject({ code: 'network-failed' })
    service.faults = () => undefined
    expect(await settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })
})

describe('without a token', () => {
  it.each([
    [unavailable, 'communication-unavailable'],
    [{ status: 500, code: 'internal-error' }, 'internal-error'],
    ['reset', 'network-failed'],
    ['hang', 'timeout'],
    ['stale', 'token-stale'],
    ['gateway', 'response-invalid'],
  ] as const)('retries after %o, and rejects with %s if it persists', async (fault, code) => {
    using source = createSource()
    let left = 1
    service.faults = () => (left-- > 0 ? fault : undefined)
    expect(await settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
    service.faults = () => fault
    source.invalidate()
    const start = clock.now()
    expect(await settle(source.getToken())).toMatchObject({ code })
    expect(clock.now() - start).toBeLessThanOrEqual(45_000)
  })

  it.each(retryAfterCases)('reads Retry-After: %s as %s seconds', async (header, seconds) => {
    clock = new VirtualClock(responseTime)
    service = new FakeService(clock)
    using source = createSource()
    service.faults = () => ({ ...unavailable, ...(header !== undefined && { retryAfter: header }) })
    expect(await settle(source.getToken())).toMatchObject({ retryAfter: seconds })
  })

  it.each([-10 * minute, 10 * minute])(
    'compares a date in Retry-After with the Date of the response when the clock is %d ms off',
    async (skew) => {
      const wrong = { now: () => clock.now() + skew, after: clock.after.bind(clock) }
      using source = createSource({ clock: wrong })
      service.faults = (at) => ({ ...unavailable, retryAfter: new Date(at + 2 * minute).toUTCString() })
      const start = clock.now()
      expect(await settle(source.getToken())).toMatchObject({ retryAfter: 120 })
      expect(clock.now() - start).toBeLessThan(1000)
      expect(service.requests).toHaveLength(1)
    },
  )

  it('rejects at once if the pause exceeds the maximum wait or a retry cannot succeed', async () => {
    using source = createSource()
    service.faults = () => ({ ...unavailable, retryAfter: 120 })
    const start = clock.now()
    expect(await settle(source.getToken())).toMatchObject({ code: 'communication-unavailable', retryAfter: 120 })
    expect(await settle(source.getToken())).toMatchObject({ retryAfter: 120 })
    expect(service.requests).toHaveLength(1)
    service.faults = () => ({ status: 403, code: 'scope-not-allowed' })
    expect(await settle(source.getToken({ scopes: ['chat'] }))).toMatchObject({
      code: 'scope-not-allowed',
      status: 403,
    })
    expect(clock.now() - start).toBeLessThan(1000)
  })

  it('shares retries between concurrent callers while the service is down', async () => {
    using source = createSource()
    service.faults = () => unavailable
    const calls = Promise.allSettled(Array.from({ length: 100 }, () => source.getToken()))
    expect(await settle(calls)).toHaveLength(100)
    expect(service.requests.length).toBeLessThan(12)
  })
})

describe('getSignInToken', () => {
  it('renews the sign-in token once after the service rejected it', async () => {
    const requested: boolean[] = []
    service.expiredSignInTokens.add(createSignInToken('alice', 0))
    using source = createSource({
      getSignInToken: ({ refresh }) => {
        requested.push(refresh)
        return createSignInToken('alice', refresh ? 1 : 0)
      },
    })
    await source.getToken()
    expect(requested).toEqual([false, true])
    expect(service.requests).toHaveLength(2)
  })

  it('propagates a missing sign-in token as sign-in-failed', async () => {
    const cause = new Error('sign in first')
    using source = createSource({ getSignInToken: () => Promise.reject(cause) })
    await expect(source.getToken()).rejects.toMatchObject({ code: 'sign-in-failed', cause })
  })

  it('rejects a renewed sign-in token of another user', async () => {
    service.expiredSignInTokens.add(createSignInToken('alice', 0))
    using source = createSource({ getSignInToken: ({ refresh }) => createSignInToken(refresh ? 'bob' : 'alice') })
    await expect(source.getToken()).rejects.toMatchObject({ code: 'invalidated' })
    await expect(source.deleteIdentity()).rejects.toMatchObject({ code: 'invalidated' })
    expect(new Set(service.requests.map(({ user }) => user))).toEqual(new Set(['alice']))
    expect(service.requests.length).toBeLessThan(5)
  })

  it('limits requests while every renewal returns another user', async () => {
    let serial = 0
    const source = createSource({
      getSignInToken: ({ refresh }) => (refresh ? createSignInToken('bob') : createSignInToken('alice', serial)),
    })
    await source.getToken()
    service.expiredSignInTokens.add(createSignInToken('alice', ++serial))
    source.invalidate()
    expect(await settle(source.getToken())).toMatchObject({ code: 'invalidated' })
    expect(service.requests.length).toBeLessThan(6)
    source.dispose()
  })

  it('drops the token of the previous user even if the fetch that detects the change fails', async () => {
    using source = createSource()
    await source.getToken()
    await clock.advance(23.6 * hour)
    user = 'bob'
    service.faults = () => 'reset'
    await clock.advance(10 * minute)
    expect(await settle(source.getToken())).toMatchObject({ code: 'network-failed' })
    service.faults = () => undefined
    expect(await settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })

  it('discards a late sign-in token of the previous user', async () => {
    let resolveSignIn: (token: string) => void = () => {}
    const signIn = { isImmediate: true }
    using source = createSource({
      getSignInToken: () =>
        signIn.isImmediate ? createSignInToken(user) : new Promise<string>((resolve) => (resolveSignIn = resolve)),
    })
    signIn.isImmediate = false
    const waiting = source.getToken()
    await clock.advance(10)
    user = 'bob'
    source.invalidate()
    signIn.isImmediate = true
    expect(await source.getToken()).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
    resolveSignIn(createSignInToken('alice'))
    expect(await settle(waiting)).toMatchObject({ code: 'invalidated' })
    expect(await source.getToken()).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })

  it('fetches concurrent requests of a new user', async () => {
    using source = createSource()
    await source.getToken()
    user = 'bob'
    source.invalidate()
    const both = [source.getToken({ scopes: ['chat'] }), source.getToken({ scopes: ['voip'] })]
    for (const token of await Promise.all(both)) expect(token.communicationUserId).toBe('8:acs:resource_bob')
  })

  it('drops cached tokens when the user changes without invalidate', async () => {
    using source = createSource()
    await source.getToken({ scopes: ['chat'] })
    user = 'bob'
    await source.getToken({ scopes: ['voip'] })
    expect(await source.getToken({ scopes: ['chat'] })).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })
})

describe('invalidate', () => {
  it('requests a new token from the service', async () => {
    using source = createSource()
    const first = await source.getToken()
    source.invalidate()
    const second = await source.getToken()
    expect(second.token).not.toBe(first.token)
    expect(service.requests.map(({ body }) => body.refresh)).toEqual([undefined, true])
  })

  it('discards pending responses, and retries only for the same user', async () => {
    using source = createSource()
    service.latencyMs = 1000
    const before = source.getToken()
    await clock.advance(500)
    user = 'bob'
    source.invalidate()
    const after = source.getToken()
    expect(await settle(before)).toMatchObject({ code: 'invalidated' })
    expect(await settle(after)).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
    source.invalidate()
    const third = source.getToken()
    await clock.advance(500)
    source.invalidate()
    expect(await settle(third)).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })

  it('rejects with the error of the next attempt', async () => {
    using source = createSource()
    await source.getToken()
    source.invalidate()
    service.latencyMs = 1000
    const waiting = source.getToken()
    await clock.advance(500)
    source.invalidate()
    service.faults = () => ({ status: 403, code: 'scope-not-allowed' })
    expect(await settle(waiting)).toMatchObject({ code: 'scope-not-allowed' })
  })

  it('runs on revocation and deletion', async () => {
    using source = createSource()
    const first = await source.getToken()
    expect(await source.revokeTokens()).toBe('done')
    const second = await source.getToken()
    expect(await source.deleteIdentity()).toBe('done')
    const third = await source.getToken()
    expect(new Set([first.token, second.token, third.token]).size).toBe(3)
  })
})

describe('a pending call', () => {
  it('ends for one caller without affecting others', async () => {
    using source = createSource()
    service.latencyMs = 1000
    const controller = new AbortController()
    const aborted = source.getToken({ signal: controller.signal })
    const other = source.getToken()
    controller.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    expect(await settle(other)).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
    expect(service.requests).toHaveLength(1)
  })

  it('rejects on dispose, which leaves no timer', async () => {
    const source = createSource()
    await source.getToken({ scopes: ['chat'] })
    service.faults = () => 'hang'
    const waiting = source.getToken()
    await clock.advance(1000)
    source.dispose()
    await expect(waiting).rejects.toMatchObject({ code: 'disposed' })
    await expect(source.getToken()).rejects.toMatchObject({ code: 'disposed' })
    await clock.advance(0)
    expect(clock.pending).toBe(0)
  })
})

it.each([-10 * minute, 10 * minute, 26 * hour])('corrects a clock that is %d ms off', async (skew) => {
  const wrong = { now: () => clock.now() + skew, after: clock.after.bind(clock) }
  using source = createSource({ clock: wrong })
  for (let passed = 0; passed < 50 * hour; passed += 5 * minute) {
    const { expiresOn } = await source.getToken()
    expect(Date.parse(expiresOn)).toBeGreaterThan(clock.now())
    expect(Math.abs(source.now() - clock.now())).toBeLessThanOrEqual(1000)
    await clock.advance(5 * minute)
  }
  expect(service.requests.length).toBeLessThanOrEqual(3)
  expect(errors).toEqual([])
})

it.each([-10 * minute, 10 * minute])('waits as long with a clock that is %d ms off', async (skew) => {
  const wrong = { now: () => clock.now() + skew, after: clock.after.bind(clock) }
  let left = 1
  service.faults = () => (left-- > 0 ? unavailable : undefined)
  using source = createSource({ clock: wrong })
  expect(await settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
  service.faults = () => unavailable
  source.invalidate()
  const start = clock.now()
  expect(await settle(source.getToken())).toMatchObject({ code: 'communication-unavailable' })
  expect(clock.now() - start).toBeGreaterThan(10_000)
  expect(clock.now() - start).toBeLessThan(45_000)
})

it('tolerates a clock that is set back', async () => {
  let setBack = 0
  const moved = { now: () => clock.now() - setBack, after: clock.after.bind(clock) }
  using source = createSource({ clock: moved })
  const first = await source.getToken()
  await clock.advance(20 * hour)
  setBack = 5 * hour
  expect(await source.getToken()).toBe(first)
  await clock.advance(1000)
  expect(source.now()).toBeGreaterThan(clock.now() - 2000)
  await clock.advance(4.5 * hour)
  expect(await settle(source.getToken())).not.toBe(first)

  service.faults = () => unavailable
  source.invalidate()
  await settle(source.getToken())
  service.faults = () => undefined
  setBack = 10 * hour
  expect(await settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
})

it('limits the pause that the service requests', async () => {
  using source = createSource()
  service.faults = () => ({ ...unavailable, retryAfter: 86_400 })
  expect(await settle(source.getToken())).toMatchObject({ retryAfter: 3600 })
  service.faults = () => undefined
  await clock.advance(5 * minute)
  await expect(source.getToken()).resolves.toBeDefined()
})

it('ignores errors of listeners', async () => {
  using source = createSource({
    onToken: () => {
      throw new Error('mine')
    },
    onError: () => {
      throw new Error('mine')
    },
  })
  await source.getToken()
  service.faults = () => 'reset'
  await clock.advance(23.8 * hour)
  service.faults = () => undefined
  await clock.advance(minute)
  expect(service.requests.length).toBe(2)
})

it('times out a revocation and rejects a deletion on dispose', async () => {
  const source = createSource()
  service.faults = () => 'hang'
  expect(await settle(source.revokeTokens())).toMatchObject({ code: 'timeout' })
  const ended = source.deleteIdentity()
  await clock.advance(100)
  source.dispose()
  await expect(ended).rejects.toMatchObject({ code: 'disposed' })
})

it('rejects a URL without https, except on this machine', () => {
  const createWith =
    (url: string, options = {}) =>
    () =>
      createSource({ url, ...options }).dispose()
  expect(createWith('http://tokens.example.com')).toThrow('url must begin with https://')
  expect(createWith('http://tokens.example.com', { allowInsecureConnection: true })).not.toThrow()
  expect(createWith('http://localhost:8080')).not.toThrow()
  expect(createWith('http://[::1]:8080')).not.toThrow()
  for (const url of ['HTTPS://tokens.example.com', 'http://app.localhost/tokens', 'http://127.0.0.1?x']) {
    expect(createWith(url), url).not.toThrow()
  }
  for (const url of [
    'http://localhost:80@tokens.example.com',
    'http://localhost.example.com',
    'http://tokens.example.com/.localhost/',
    'http://tokens.example.com?.localhost/',
    'http://tokens.example.com\\.localhost/',
    'http://127.0.0.1.example.com',
    'tokens.example.com',
    'ftp://tokens.example.com',
  ]) {
    expect(createWith(url), url).toThrow('url must begin with https://')
  }
})

it('accepts a URL with a path', async () => {
  const addresses: string[] = []
  const source = createSource({
    url: new URL('https://example.com/tokens?x=/#y'),
    fetch: (input, init) => {
      addresses.push(input as string)
      return service.fetch('https://example.com/v1/token', init)
    },
  })
  await source.getToken()
  source.dispose()
  expect(addresses).toEqual(['https://example.com/tokens/v1/token'])
})

it('keeps tokens out of errors', async () => {
  using source = createSource()
  for (const fault of ['reset', 'gateway', unavailable, { status: 403, code: 'scope-not-allowed' }] as const) {
    service.faults = () => fault
    const error = (await settle(source.getToken())) as TokenError
    expect(error).toBeInstanceOf(TokenError)
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain(createSignInToken('alice'))
  }
})

it('retries, caches and invalidates tokens of a custom source', async () => {
  let fails = 0
  using source = customTokenSource(
    async ({ scopes }, { refresh }) => {
      if (fails-- > 0) throw new TokenError('network-failed', 'no network')
      return { token: `${scopes?.join()} ${refresh}`, expiresOn: new Date(clock.now() + hour).toISOString() }
    },
    { clock },
  )
  fails = 2
  expect(await settle(source.getToken({ scopes: ['voip'] }))).toMatchObject({ token: 'voip false' })
  source.invalidate()
  expect(await source.getToken({ scopes: ['voip'] })).toMatchObject({ token: 'voip true' })
  fails = 0
  using failing = customTokenSource(() => Promise.reject(new Error('mine')), { clock })
  await expect(failing.getToken()).rejects.toThrow('mine')
})

it('returns the token of a literal source', async () => {
  const token = { token: 'a', expiresOn: '2026-01-01T00:00:00Z' }
  using source = literalTokenSource(token)
  expect(await source.getToken()).toBe(token)
})

import { beforeEach, describe, expect, it } from 'vitest'
import {
  customTokenSource,
  literalTokenSource,
  TokenError,
  tokenSource,
  type ServiceTokenSourceOptions,
} from '../src/index.ts'
import { responseTime, retryAfterCases } from '@acs-kit/test-support/retry-after-cases'
import { FakeService, signInTokenOf } from './fake-service.ts'
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

function open(options: Partial<ServiceTokenSourceOptions> = {}) {
  return tokenSource({
    url: 'https://tokens.example.com',
    getSignInToken: () => signInTokenOf(user),
    fetch: service.fetch,
    clock,
    onError: (error) => errors.push(error),
    ...options,
  })
}

/** Lets time pass until the promise is settled, and returns what came of it. */
async function outcome<T>(promise: Promise<T>, limit = 2 * minute): Promise<T | TokenError> {
  const settled = promise.catch((error: unknown) => error as TokenError)
  await clock.advanceUntil(settled, limit)
  return settled
}

it('leaves the sign-in token out of an error, even if the response repeats it', async () => {
  const token = signInTokenOf(user)
  const problem = { code: 'token-invalid', title: token, detail: `Authorization: Bearer ${token} is invalid` }
  const headers = { 'Content-Type': 'application/problem+json' }
  using source = open({ fetch: async () => new Response(JSON.stringify(problem), { status: 400, headers }) })
  const error = await outcome(source.getToken())
  expect(error).toMatchObject({ code: 'token-invalid', status: 400, message: 'Authorization: Bearer  is invalid' })
})

describe('a token', () => {
  it('comes from memory while it is fresh, whatever the order of the scopes', async () => {
    using source = open()
    const first = await source.getToken({ scopes: ['voip', 'chat'] })
    expect(await source.getToken({ scopes: ['chat', 'voip', 'chat'] })).toBe(first)
    expect(await source.getToken({ scopes: ['chat'] })).not.toBe(first)
    expect(service.seen.map(({ body }) => body.scopes)).toEqual([['chat', 'voip'], ['chat']])
  })

  it('is fetched once for all who wait', async () => {
    using source = open()
    service.latencyMs = 100
    const all = Promise.all(Array.from({ length: 50 }, () => source.getToken()))
    await clock.advance(100)
    expect(new Set(await all).size).toBe(1)
    expect(service.seen).toHaveLength(1)
  })

  it('is refreshed ahead of its end, once in its life, and nobody waits for that', async () => {
    using source = open()
    const first = await source.getToken()
    await clock.advance(23.6 * hour)
    expect(await source.getToken()).toBe(first)
    await clock.advance(10 * minute)
    const second = await source.getToken()
    expect(second).not.toBe(first)
    await clock.advance(9 * 24 * hour)
    expect(service.seen.length).toBeGreaterThanOrEqual(10)
    expect(service.seen.length).toBeLessThanOrEqual(11)
    expect(errors).toEqual([])
  })

  it('is refreshed at different moments by those who got theirs together', async () => {
    using early = open({ random: () => 0.99 })
    using late = open({ random: () => 0.01 })
    await early.getToken()
    service.seen.length = 0
    user = 'bob'
    await late.getToken()
    service.seen.length = 0
    await clock.advance(24 * hour)
    const [first, second] = service.seen
    expect(second!.at - first!.at).toBeGreaterThan(4 * minute)
  })

  it('survives the sleep of the machine', async () => {
    using source = open()
    const first = await source.getToken()
    clock.sleep(23.9 * hour)
    await clock.advance(31_000)
    expect(service.seen).toHaveLength(2)
    const second = await source.getToken()
    expect(second).not.toBe(first)
    clock.sleep(30 * hour)
    expect(Date.parse((await source.getToken()).expiresOn)).toBeGreaterThan(clock.now())
  })
})

describe('a failed refresh', () => {
  it('is tried again with growing pauses until it succeeds, while the old token serves', async () => {
    using source = open({ random: () => 1 })
    const first = await source.getToken()
    service.faults = () => unavailable
    await clock.advance(23.75 * hour)
    expect(await source.getToken()).toBe(first)
    const pauses = service.seen.slice(1).map(({ at }, index) => at - service.seen[index]!.at)
    expect(pauses.slice(1, 8).map((pause) => Math.round(pause / 1000))).toEqual([1, 2, 4, 8, 16, 20, 20])
    expect(errors[0]).toMatchObject({ code: 'communication-unavailable', status: 503, requestId: 'request-1' })
    service.faults = () => undefined
    await clock.advance(61_000)
    expect(await source.getToken()).not.toBe(first)
  })

  it('waits as long as the service asks', async () => {
    using source = open()
    await source.getToken()
    service.faults = () => ({ ...unavailable, retryAfter: 240 })
    await clock.advance(23.6 * hour)
    service.seen.length = 0
    await clock.advance(20 * minute)
    const pauses = service.seen.slice(1).map(({ at }, index) => at - service.seen[index]!.at)
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(240_000)
  })

  it('never lets the former user’s token out again', async () => {
    using source = open()
    await source.getToken()
    user = 'bob'
    source.invalidate()
    service.faults = () => 'reset'
    expect(await outcome(source.getToken())).toMatchObject({ code: 'network-failed' })
    service.faults = () => undefined
    expect(await outcome(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
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
  ] as const)('%o is overcome when it ends in time', async (fault, code) => {
    using source = open()
    let left = 1
    service.faults = () => (left-- > 0 ? fault : undefined)
    expect(await outcome(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
    service.faults = () => fault
    source.invalidate()
    const start = clock.now()
    expect(await outcome(source.getToken())).toMatchObject({ code })
    expect(clock.now() - start).toBeLessThanOrEqual(45_000)
  })

  it.each(retryAfterCases)('reads Retry-After: %s as %s seconds', async (header, seconds) => {
    clock = new VirtualClock(responseTime)
    service = new FakeService(clock)
    using source = open()
    service.faults = () => ({ ...unavailable, ...(header !== undefined && { retryAfter: header }) })
    expect(await outcome(source.getToken())).toMatchObject({ retryAfter: seconds })
  })

  it.each([-10 * minute, 10 * minute])(
    'compares a date in Retry-After with the Date of the response, not with a clock that is %d ms off',
    async (skew) => {
      const wrong = { now: () => clock.now() + skew, after: clock.after.bind(clock) }
      using source = open({ clock: wrong })
      service.faults = (at) => ({ ...unavailable, retryAfter: new Date(at + 2 * minute).toUTCString() })
      const start = clock.now()
      expect(await outcome(source.getToken())).toMatchObject({ retryAfter: 120 })
      expect(clock.now() - start).toBeLessThan(1000)
      expect(service.seen).toHaveLength(1)
    },
  )

  it('is told at once when waiting would be too long, or in vain', async () => {
    using source = open()
    service.faults = () => ({ ...unavailable, retryAfter: 120 })
    const start = clock.now()
    expect(await outcome(source.getToken())).toMatchObject({ code: 'communication-unavailable', retryAfter: 120 })
    expect(await outcome(source.getToken())).toMatchObject({ retryAfter: 120 })
    expect(service.seen).toHaveLength(1)
    service.faults = () => ({ status: 403, code: 'scope-not-allowed' })
    expect(await outcome(source.getToken({ scopes: ['chat'] }))).toMatchObject({
      code: 'scope-not-allowed',
      status: 403,
    })
    expect(clock.now() - start).toBeLessThan(1000)
  })

  it('keeps back the crowd while the service is down', async () => {
    using source = open()
    service.faults = () => unavailable
    const crowd = Promise.allSettled(Array.from({ length: 100 }, () => source.getToken()))
    expect(await outcome(crowd)).toHaveLength(100)
    expect(service.seen.length).toBeLessThan(12)
  })
})

describe('the sign-in token', () => {
  it('is replaced once when the service refuses it', async () => {
    const asked: boolean[] = []
    service.expired.add(signInTokenOf('alice', 0))
    using source = open({
      getSignInToken: ({ refresh }) => {
        asked.push(refresh)
        return signInTokenOf('alice', refresh ? 1 : 0)
      },
    })
    await source.getToken()
    expect(asked).toEqual([false, true])
    expect(service.seen).toHaveLength(2)
  })

  it('may be none: then that is the error, with its cause', async () => {
    const cause = new Error('sign in first')
    using source = open({ getSignInToken: () => Promise.reject(cause) })
    await expect(source.getToken()).rejects.toMatchObject({ code: 'sign-in-failed', cause })
  })

  it('of another user never fetches in the name of the first', async () => {
    service.expired.add(signInTokenOf('alice', 0))
    using source = open({ getSignInToken: ({ refresh }) => signInTokenOf(refresh ? 'bob' : 'alice') })
    await expect(source.getToken()).rejects.toMatchObject({ code: 'invalidated' })
    await expect(source.deleteIdentity()).rejects.toMatchObject({ code: 'invalidated' })
    expect(new Set(service.seen.map(({ user }) => user))).toEqual(new Set(['alice']))
    expect(service.seen.length).toBeLessThan(5)
  })

  it('of another user is refused for ever without a storm', async () => {
    let serial = 0
    const source = open({
      getSignInToken: ({ refresh }) => (refresh ? signInTokenOf('bob') : signInTokenOf('alice', serial)),
    })
    await source.getToken()
    service.expired.add(signInTokenOf('alice', ++serial))
    source.invalidate()
    expect(await outcome(source.getToken())).toMatchObject({ code: 'invalidated' })
    expect(service.seen.length).toBeLessThan(6)
    source.dispose()
  })

  it('of another user drops the former one’s token even if the fetch that finds out fails', async () => {
    using source = open()
    await source.getToken()
    await clock.advance(23.6 * hour)
    user = 'bob'
    service.faults = () => 'reset'
    await clock.advance(10 * minute)
    expect(await outcome(source.getToken())).toMatchObject({ code: 'network-failed' })
    service.faults = () => undefined
    expect(await outcome(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })

  it('that comes late, of the former user, counts no more', async () => {
    let give: (token: string) => void = () => {}
    const signIn = { now: true }
    using source = open({
      getSignInToken: () => (signIn.now ? signInTokenOf(user) : new Promise<string>((resolve) => (give = resolve))),
    })
    signIn.now = false
    const waiting = source.getToken()
    await clock.advance(10)
    user = 'bob'
    source.invalidate()
    signIn.now = true
    expect(await source.getToken()).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
    give(signInTokenOf('alice'))
    expect(await outcome(waiting)).toMatchObject({ code: 'invalidated' })
    expect(await source.getToken()).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })

  it('of a new user serves several requests at once', async () => {
    using source = open()
    await source.getToken()
    user = 'bob'
    source.invalidate()
    const both = [source.getToken({ scopes: ['chat'] }), source.getToken({ scopes: ['voip'] })]
    for (const token of await Promise.all(both)) expect(token.communicationUserId).toBe('8:acs:resource_bob')
  })

  it('of another user drops what was kept, even if nobody said so', async () => {
    using source = open()
    await source.getToken({ scopes: ['chat'] })
    user = 'bob'
    await source.getToken({ scopes: ['voip'] })
    expect(await source.getToken({ scopes: ['chat'] })).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })
})

describe('invalidate', () => {
  it('makes the next token a new one, asked for as such', async () => {
    using source = open()
    const first = await source.getToken()
    source.invalidate()
    const second = await source.getToken()
    expect(second.token).not.toBe(first.token)
    expect(service.seen.map(({ body }) => body.refresh)).toEqual([undefined, true])
  })

  it('keeps out what is on its way: the same user waits for a new one, another one’s answer is nobody’s', async () => {
    using source = open()
    service.latencyMs = 1000
    const before = source.getToken()
    await clock.advance(500)
    user = 'bob'
    source.invalidate()
    const after = source.getToken()
    expect(await outcome(before)).toMatchObject({ code: 'invalidated' })
    expect(await outcome(after)).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
    source.invalidate()
    const third = source.getToken()
    await clock.advance(500)
    source.invalidate()
    expect(await outcome(third)).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })

  it('does not hide that the next attempt was refused', async () => {
    using source = open()
    await source.getToken()
    source.invalidate()
    service.latencyMs = 1000
    const waiting = source.getToken()
    await clock.advance(500)
    source.invalidate()
    service.faults = () => ({ status: 403, code: 'scope-not-allowed' })
    expect(await outcome(waiting)).toMatchObject({ code: 'scope-not-allowed' })
  })

  it('comes with revocation and deletion', async () => {
    using source = open()
    const first = await source.getToken()
    expect(await source.revokeTokens()).toBe('done')
    const second = await source.getToken()
    expect(await source.deleteIdentity()).toBe('done')
    const third = await source.getToken()
    expect(new Set([first.token, second.token, third.token]).size).toBe(3)
  })
})

describe('waiting', () => {
  it('can be ended by one without harm to the others', async () => {
    using source = open()
    service.latencyMs = 1000
    const controller = new AbortController()
    const impatient = source.getToken({ signal: controller.signal })
    const patient = source.getToken()
    controller.abort(new Error('enough'))
    await expect(impatient).rejects.toThrow('enough')
    expect(await outcome(patient)).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
    expect(service.seen).toHaveLength(1)
  })

  it('ends with the source, and no timer is left', async () => {
    const source = open()
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

it.each([-10 * minute, 10 * minute, 26 * hour])('a clock that is wrong by %d ms does no harm', async (skew) => {
  const wrong = { now: () => clock.now() + skew, after: clock.after.bind(clock) }
  using source = open({ clock: wrong })
  for (let passed = 0; passed < 50 * hour; passed += 5 * minute) {
    const { expiresOn } = await source.getToken()
    expect(Date.parse(expiresOn)).toBeGreaterThan(clock.now())
    expect(Math.abs(source.now() - clock.now())).toBeLessThanOrEqual(1000)
    await clock.advance(5 * minute)
  }
  expect(service.seen.length).toBeLessThanOrEqual(3)
  expect(errors).toEqual([])
})

it.each([-10 * minute, 10 * minute])('a clock that is wrong by %d ms changes no wait', async (skew) => {
  const wrong = { now: () => clock.now() + skew, after: clock.after.bind(clock) }
  let left = 1
  service.faults = () => (left-- > 0 ? unavailable : undefined)
  using source = open({ clock: wrong })
  expect(await outcome(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
  service.faults = () => unavailable
  source.invalidate()
  const start = clock.now()
  expect(await outcome(source.getToken())).toMatchObject({ code: 'communication-unavailable' })
  expect(clock.now() - start).toBeGreaterThan(10_000)
  expect(clock.now() - start).toBeLessThan(45_000)
})

it('a clock that is set back neither locks anybody out nor keeps a token beyond its end', async () => {
  let setBack = 0
  const moved = { now: () => clock.now() - setBack, after: clock.after.bind(clock) }
  using source = open({ clock: moved })
  const first = await source.getToken()
  await clock.advance(20 * hour)
  setBack = 5 * hour
  expect(await source.getToken()).toBe(first)
  await clock.advance(1000)
  expect(source.now()).toBeGreaterThan(clock.now() - 2000)
  await clock.advance(4.5 * hour)
  expect(await outcome(source.getToken())).not.toBe(first)

  service.faults = () => unavailable
  source.invalidate()
  await outcome(source.getToken())
  service.faults = () => undefined
  setBack = 10 * hour
  expect(await outcome(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
})

it('a wish to wait for a day is not granted', async () => {
  using source = open()
  service.faults = () => ({ ...unavailable, retryAfter: 86_400 })
  expect(await outcome(source.getToken())).toMatchObject({ retryAfter: 3600 })
  service.faults = () => undefined
  await clock.advance(5 * minute)
  await expect(source.getToken()).resolves.toBeDefined()
})

it('a listener that fails stops nothing', async () => {
  using source = open({
    onToken: () => {
      throw new Error('mine')
    },
    onError: () => {
      throw new Error('mine, too')
    },
  })
  await source.getToken()
  service.faults = () => 'reset'
  await clock.advance(23.8 * hour)
  service.faults = () => undefined
  await clock.advance(minute)
  expect(service.seen.length).toBe(2)
})

it('what a user asks for ends with the source, or after a while', async () => {
  const source = open()
  service.faults = () => 'hang'
  expect(await outcome(source.revokeTokens())).toMatchObject({ code: 'timeout' })
  const ended = source.deleteIdentity()
  await clock.advance(100)
  source.dispose()
  await expect(ended).rejects.toMatchObject({ code: 'disposed' })
})

it('an address without https is refused, but on this machine', () => {
  const make =
    (url: string, options = {}) =>
    () =>
      open({ url, ...options }).dispose()
  expect(make('http://tokens.example.com')).toThrow('url must begin with https://')
  expect(make('http://tokens.example.com', { allowInsecureConnection: true })).not.toThrow()
  expect(make('http://localhost:8080')).not.toThrow()
  expect(make('http://[::1]:8080')).not.toThrow()
  for (const url of ['HTTPS://tokens.example.com', 'http://app.localhost/tokens', 'http://127.0.0.1?x']) {
    expect(make(url), url).not.toThrow()
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
    expect(make(url), url).toThrow('url must begin with https://')
  }
})

it('the address may have a path', async () => {
  const places: string[] = []
  const source = open({
    url: new URL('https://example.com/tokens?x=/#y'),
    fetch: (input, init) => {
      places.push(input as string)
      return service.fetch('https://example.com/v1/token', init)
    },
  })
  await source.getToken()
  source.dispose()
  expect(places).toEqual(['https://example.com/tokens/v1/token'])
})

it('no error and no message of one holds a token', async () => {
  using source = open()
  for (const fault of ['reset', 'gateway', unavailable, { status: 403, code: 'scope-not-allowed' }] as const) {
    service.faults = () => fault
    const error = (await outcome(source.getToken())) as TokenError
    expect(error).toBeInstanceOf(TokenError)
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain(signInTokenOf('alice'))
  }
})

it('a custom source has the same care', async () => {
  let fails = 0
  using source = customTokenSource(
    async ({ scopes }, { refresh }) => {
      if (fails-- > 0) throw new TokenError('network-failed', 'no network')
      return { token: `${scopes?.join()} ${refresh}`, expiresOn: new Date(clock.now() + hour).toISOString() }
    },
    { clock },
  )
  fails = 2
  expect(await outcome(source.getToken({ scopes: ['voip'] }))).toMatchObject({ token: 'voip false' })
  source.invalidate()
  expect(await source.getToken({ scopes: ['voip'] })).toMatchObject({ token: 'voip true' })
  fails = 0
  using failing = customTokenSource(() => Promise.reject(new Error('mine')), { clock })
  await expect(failing.getToken()).rejects.toThrow('mine')
})

it('a literal source gives what it was given', async () => {
  const token = { token: 'a', expiresOn: '2026-01-01T00:00:00Z' }
  using source = literalTokenSource(token)
  expect(await source.getToken()).toBe(token)
})

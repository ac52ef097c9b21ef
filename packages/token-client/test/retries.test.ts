import { responseTime, retryAfterCases } from '@acs-kit/test-support/retry-after-cases'
import { beforeEach, describe, expect, it } from 'vitest'
import { Harness, hour, minute, unavailable } from './harness.ts'
import { VirtualClock } from './virtual-clock.ts'

let app: Harness

beforeEach(() => {
  app = new Harness()
})

describe('after a failed refresh', () => {
  it('retries with exponential backoff and returns the old token meanwhile', async () => {
    using source = app.createSource({ random: () => 1 })
    const first = await source.getToken()
    app.service.faults = () => unavailable
    await app.clock.advance(23.75 * hour)
    expect(await source.getToken()).toBe(first)
    const pauses = app.service.requests.slice(1).map(({ at }, index) => at - app.service.requests[index]!.at)
    expect(pauses.slice(1, 8).map((pause) => Math.round(pause / 1000))).toEqual([1, 2, 4, 8, 16, 20, 20])
    expect(app.errors[0]).toMatchObject({ code: 'communication-unavailable', status: 503, requestId: 'request-1' })
    app.service.faults = () => undefined
    await app.clock.advance(61_000)
    expect(await source.getToken()).not.toBe(first)
  })

  it('waits as long as Retry-After requests', async () => {
    using source = app.createSource()
    await source.getToken()
    app.service.faults = () => ({ ...unavailable, retryAfter: 240 })
    await app.clock.advance(23.6 * hour)
    app.service.requests.length = 0
    await app.clock.advance(20 * minute)
    const pauses = app.service.requests.slice(1).map(({ at }, index) => at - app.service.requests[index]!.at)
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(240_000)
  })

  it('never returns the token of the previous user', async () => {
    using source = app.createSource()
    await source.getToken()
    app.user = 'bob'
    source.invalidate()
    app.service.faults = () => 'reset'
    expect(await app.settle(source.getToken())).toMatchObject({ code: 'network-failed' })
    app.service.faults = () => undefined
    expect(await app.settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
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
    using source = app.createSource()
    let left = 1
    app.service.faults = () => (left-- > 0 ? fault : undefined)
    expect(await app.settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
    app.service.faults = () => fault
    source.invalidate()
    const start = app.clock.now()
    expect(await app.settle(source.getToken())).toMatchObject({ code })
    expect(app.clock.now() - start).toBeLessThanOrEqual(45_000)
  })

  it.each(retryAfterCases)('reads Retry-After: %s as %s seconds', async (header, seconds) => {
    app = new Harness(new VirtualClock(responseTime))
    using source = app.createSource()
    app.service.faults = () => ({ ...unavailable, ...(header !== undefined && { retryAfter: header }) })
    expect(await app.settle(source.getToken())).toMatchObject({ retryAfter: seconds })
  })

  it.each([-10 * minute, 10 * minute])(
    'compares a date in Retry-After with the Date of the response when the clock is %d ms off',
    async (skew) => {
      const wrong = { now: () => app.clock.now() + skew, after: app.clock.after.bind(app.clock) }
      using source = app.createSource({ clock: wrong })
      app.service.faults = (at) => ({ ...unavailable, retryAfter: new Date(at + 2 * minute).toUTCString() })
      const start = app.clock.now()
      expect(await app.settle(source.getToken())).toMatchObject({ retryAfter: 120 })
      expect(app.clock.now() - start).toBeLessThan(1000)
      expect(app.service.requests).toHaveLength(1)
    },
  )

  it('rejects at once if the pause exceeds the maximum wait or a retry cannot succeed', async () => {
    using source = app.createSource()
    app.service.faults = () => ({ ...unavailable, retryAfter: 120 })
    const start = app.clock.now()
    expect(await app.settle(source.getToken())).toMatchObject({ code: 'communication-unavailable', retryAfter: 120 })
    expect(await app.settle(source.getToken())).toMatchObject({ retryAfter: 120 })
    expect(app.service.requests).toHaveLength(1)
    app.service.faults = () => ({ status: 403, code: 'scope-not-allowed' })
    expect(await app.settle(source.getToken({ scopes: ['chat'] }))).toMatchObject({
      code: 'scope-not-allowed',
      status: 403,
    })
    expect(app.clock.now() - start).toBeLessThan(1000)
  })

  it.each([
    ['alice', { communicationUserId: '8:acs:resource_alice' }],
    ['bob', { code: 'invalidated' }],
  ])('continues after an invalidation during a pause only for the same user (%s)', async (user, result) => {
    using source = app.createSource()
    app.service.faults = () => ({ ...unavailable, retryAfter: 20 })
    const waiting = source.getToken().catch((error: unknown) => error)
    await app.clock.advance(1000)
    app.service.faults = () => undefined
    app.user = user
    source.invalidate()
    expect(await app.settle(source.getToken())).toMatchObject({ communicationUserId: `8:acs:resource_${user}` })
    expect(await waiting).toMatchObject(result)
  })

  it('shares retries between concurrent callers while the service is down', async () => {
    using source = app.createSource()
    app.service.faults = () => unavailable
    const calls = Promise.allSettled(Array.from({ length: 100 }, () => source.getToken()))
    expect(await app.settle(calls)).toHaveLength(100)
    expect(app.service.requests.length).toBeLessThan(12)
  })
})

it('limits the pause that the service requests', async () => {
  using source = app.createSource()
  app.service.faults = () => ({ ...unavailable, retryAfter: 86_400 })
  expect(await app.settle(source.getToken())).toMatchObject({ retryAfter: 3600 })
  app.service.faults = () => undefined
  await app.clock.advance(5 * minute)
  await expect(source.getToken()).resolves.toBeDefined()
})

it('times out a revocation and rejects a deletion on dispose', async () => {
  const source = app.createSource()
  app.service.faults = () => 'hang'
  expect(await app.settle(source.revokeTokens())).toMatchObject({ code: 'timeout' })
  const ended = source.deleteIdentity()
  await app.clock.advance(100)
  source.dispose()
  await expect(ended).rejects.toMatchObject({ code: 'disposed' })
})

import { beforeEach, describe, expect, it } from 'vitest'
import { customTokenSource, literalTokenSource, TokenError } from '../src/index.ts'
import { Harness, hour, minute } from './harness.ts'

let app: Harness

beforeEach(() => {
  app = new Harness()
})

describe('getToken', () => {
  it('returns the cached token for equal scopes in any order', async () => {
    using source = app.createSource()
    const first = await source.getToken({ scopes: ['voip', 'chat'] })
    expect(await source.getToken({ scopes: ['chat', 'voip', 'chat'] })).toBe(first)
    expect(await source.getToken({ scopes: ['chat'] })).not.toBe(first)
    expect(app.service.requests.map(({ body }) => body.scopes)).toEqual([['chat', 'voip'], ['chat']])
  })

  it('shares one fetch between concurrent callers', async () => {
    using source = app.createSource()
    app.service.latencyMs = 100
    const all = Promise.all(Array.from({ length: 50 }, () => source.getToken()))
    await app.clock.advance(100)
    expect(new Set(await all).size).toBe(1)
    expect(app.service.requests).toHaveLength(1)
  })

  it('refreshes a token once in the background before it expires', async () => {
    using source = app.createSource()
    const first = await source.getToken()
    await app.clock.advance(23.6 * hour)
    expect(await source.getToken()).toBe(first)
    await app.clock.advance(10 * minute)
    const second = await source.getToken()
    expect(second).not.toBe(first)
    await app.clock.advance(9 * 24 * hour)
    expect(app.service.requests.length).toBeGreaterThanOrEqual(10)
    expect(app.service.requests.length).toBeLessThanOrEqual(11)
    expect(app.errors).toEqual([])
  })

  it('adds jitter, so that tokens fetched together are refreshed apart', async () => {
    using early = app.createSource({ random: () => 0.99 })
    using late = app.createSource({ random: () => 0.01 })
    await early.getToken()
    app.service.requests.length = 0
    app.user = 'bob'
    await late.getToken()
    app.service.requests.length = 0
    await app.clock.advance(24 * hour)
    const [first, second] = app.service.requests
    expect(second!.at - first!.at).toBeGreaterThan(4 * minute)
  })

  it('refreshes after the machine slept', async () => {
    using source = app.createSource()
    const first = await source.getToken()
    app.clock.sleep(23.9 * hour)
    await app.clock.advance(31_000)
    expect(app.service.requests).toHaveLength(2)
    const second = await source.getToken()
    expect(second).not.toBe(first)
    app.clock.sleep(30 * hour)
    expect(Date.parse((await source.getToken()).expiresOn)).toBeGreaterThan(app.clock.now())
  })
})

describe('invalidate', () => {
  it('requests a new token from the service', async () => {
    using source = app.createSource()
    const first = await source.getToken()
    source.invalidate()
    const second = await source.getToken()
    expect(second.token).not.toBe(first.token)
    expect(app.service.requests.map(({ body }) => body.refresh)).toEqual([undefined, true])
  })

  it('discards pending responses, and retries only for the same user', async () => {
    using source = app.createSource()
    app.service.latencyMs = 1000
    const before = source.getToken()
    await app.clock.advance(500)
    app.user = 'bob'
    source.invalidate()
    const after = source.getToken()
    expect(await app.settle(before)).toMatchObject({ code: 'invalidated' })
    expect(await app.settle(after)).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
    source.invalidate()
    const third = source.getToken()
    await app.clock.advance(500)
    source.invalidate()
    expect(await app.settle(third)).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })

  it('rejects with the error of the next attempt', async () => {
    using source = app.createSource()
    await source.getToken()
    source.invalidate()
    app.service.latencyMs = 1000
    const waiting = source.getToken()
    await app.clock.advance(500)
    source.invalidate()
    app.service.faults = () => ({ status: 403, code: 'scope-not-allowed' })
    expect(await app.settle(waiting)).toMatchObject({ code: 'scope-not-allowed' })
  })

  it('runs on revocation and deletion', async () => {
    using source = app.createSource()
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
    using source = app.createSource()
    app.service.latencyMs = 1000
    const controller = new AbortController()
    const aborted = source.getToken({ signal: controller.signal })
    const other = source.getToken()
    controller.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    expect(await app.settle(other)).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
    expect(app.service.requests).toHaveLength(1)
  })

  it('ends with the signal of another source that contains this one', async () => {
    using inner = app.createSource()
    using outer = customTokenSource((request, { signal }) => inner.getToken({ ...request, signal }), {
      clock: app.clock,
    })
    app.service.latencyMs = 20_000
    const controller = new AbortController()
    const waiting = outer.getToken({ signal: controller.signal })
    // The reason of the inner signal is a transient error.
    await app.clock.advance(15_000)
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })

  it.each([5, 10])('starts no attempt after dispose, %i microtasks after a failure', async (microtasks) => {
    let attempts = 0
    const source = customTokenSource(
      async () => {
        attempts++
        void disposeLater()
        throw new TokenError('network-failed', 'no network')
      },
      { clock: app.clock },
    )
    async function disposeLater() {
      for (let count = 0; count < microtasks; count++) await Promise.resolve()
      source.dispose()
    }
    await expect(source.getToken()).rejects.toMatchObject({ code: 'disposed' })
    expect(attempts).toBe(1)
  })

  it('rejects on dispose, which leaves no timer', async () => {
    const source = app.createSource()
    await source.getToken({ scopes: ['chat'] })
    app.service.faults = () => 'hang'
    const waiting = source.getToken()
    await app.clock.advance(1000)
    source.dispose()
    await expect(waiting).rejects.toMatchObject({ code: 'disposed' })
    await expect(source.getToken()).rejects.toMatchObject({ code: 'disposed' })
    await app.clock.advance(0)
    expect(app.clock.pending).toBe(0)
  })
})

it('ignores errors of listeners', async () => {
  using source = app.createSource({
    onToken: () => {
      throw new Error('mine')
    },
    onError: () => {
      throw new Error('mine')
    },
  })
  await source.getToken()
  app.service.faults = () => 'reset'
  await app.clock.advance(23.8 * hour)
  app.service.faults = () => undefined
  await app.clock.advance(minute)
  expect(app.service.requests.length).toBe(2)
})

it('retries, caches and invalidates tokens of a custom source', async () => {
  let fails = 0
  using source = customTokenSource(
    async ({ scopes }, { refresh }) => {
      if (fails-- > 0) throw new TokenError('network-failed', 'no network')
      return { token: `${scopes?.join()} ${refresh}`, expiresOn: new Date(app.clock.now() + hour).toISOString() }
    },
    { clock: app.clock },
  )
  fails = 2
  expect(await app.settle(source.getToken({ scopes: ['voip'] }))).toMatchObject({ token: 'voip false' })
  source.invalidate()
  expect(await source.getToken({ scopes: ['voip'] })).toMatchObject({ token: 'voip true' })
  fails = 0
  using failing = customTokenSource(() => Promise.reject(new Error('mine')), { clock: app.clock })
  await expect(failing.getToken()).rejects.toThrow('mine')
})

describe('errors of a custom source', () => {
  const foreign = Object.freeze({ isTransient: true, retryAfter: 'soon', code: 'invalidated' })

  it.each([foreign, null, undefined, 'text'])('reach the caller without a retry: %j', async (error) => {
    let attempts = 0
    using source = customTokenSource(
      () => {
        // Otherwise a retry without a pause would never end.
        expect(++attempts).toBe(1)
        return Promise.reject(error)
      },
      { clock: app.clock },
    )
    await expect(source.getToken()).rejects.toBe(error)
  })

  it.each([foreign, null, undefined, 'text'])('do not end the refresh: %j', async (error) => {
    let attempts = 0
    using source = customTokenSource(
      async () => {
        if (attempts++ === 1) throw error as unknown as Error
        return { token: `${attempts}`, expiresOn: new Date(app.clock.now() + hour).toISOString() }
      },
      { clock: app.clock },
    )
    await source.getToken()
    await app.clock.advance(50 * minute)
    expect(attempts).toBe(3)
    expect(await source.getToken()).toMatchObject({ token: '3' })
  })
})

it('returns the token of a literal source', async () => {
  const token = { token: 'a', expiresOn: '2026-01-01T00:00:00Z' }
  using source = literalTokenSource(token)
  expect(await source.getToken()).toBe(token)
})

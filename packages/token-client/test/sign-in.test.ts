import { beforeEach, describe, expect, it } from 'vitest'
import { TokenError } from '../src/index.ts'
import { createSignInToken } from './fake-service.ts'
import { Harness, hour, minute, unavailable } from './harness.ts'

let app: Harness

beforeEach(() => {
  app = new Harness()
})

it('removes the sign-in token from an error message that repeats it', async () => {
  const token = createSignInToken(app.user)
  const problem = { code: 'token-invalid', title: token, detail: `Authorization: Bearer ${token} is invalid` }
  const headers = { 'Content-Type': 'application/problem+json' }
  using source = app.createSource({
    fetch: async () => new Response(JSON.stringify(problem), { status: 400, headers }),
  })
  const error = await app.settle(source.getToken())
  expect(error).toMatchObject({ code: 'token-invalid', status: 400, message: 'Authorization: Bearer  is invalid' })
})

it('keeps tokens out of errors', async () => {
  using source = app.createSource()
  for (const fault of ['reset', 'gateway', unavailable, { status: 403, code: 'scope-not-allowed' }] as const) {
    app.service.faults = () => fault
    const error = (await app.settle(source.getToken())) as TokenError
    expect(error).toBeInstanceOf(TokenError)
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain(createSignInToken('alice'))
  }
})

describe('getSignInToken', () => {
  it('renews the sign-in token once after the service rejected it', async () => {
    const requested: boolean[] = []
    app.service.expiredSignInTokens.add(createSignInToken('alice', 0))
    using source = app.createSource({
      getSignInToken: ({ refresh }) => {
        requested.push(refresh)
        return createSignInToken('alice', refresh ? 1 : 0)
      },
    })
    await source.getToken()
    expect(requested).toEqual([false, true])
    expect(app.service.requests).toHaveLength(2)
  })

  it('propagates a missing sign-in token as sign-in-failed', async () => {
    const cause = new Error('sign in first')
    using source = app.createSource({ getSignInToken: () => Promise.reject(cause) })
    await expect(source.getToken()).rejects.toMatchObject({ code: 'sign-in-failed', cause })
  })

  it.each([undefined, null, { accessToken: 'a-token' }])('rejects %o as sign-in-failed', async (result) => {
    using source = app.createSource({ getSignInToken: () => result as unknown as string })
    await expect(source.getToken()).rejects.toMatchObject({ code: 'sign-in-failed' })
    expect(app.service.requests).toEqual([])
  })

  it('rejects a renewed sign-in token of another user', async () => {
    app.service.expiredSignInTokens.add(createSignInToken('alice', 0))
    using source = app.createSource({ getSignInToken: ({ refresh }) => createSignInToken(refresh ? 'bob' : 'alice') })
    await expect(source.getToken()).rejects.toMatchObject({ code: 'invalidated' })
    await expect(source.deleteIdentity()).rejects.toMatchObject({ code: 'invalidated' })
    expect(new Set(app.service.requests.map(({ user }) => user))).toEqual(new Set(['alice']))
    expect(app.service.requests.length).toBeLessThan(5)
  })

  it('limits requests while every renewal returns another user', async () => {
    let serial = 0
    const source = app.createSource({
      getSignInToken: ({ refresh }) => (refresh ? createSignInToken('bob') : createSignInToken('alice', serial)),
    })
    await source.getToken()
    app.service.expiredSignInTokens.add(createSignInToken('alice', ++serial))
    source.invalidate()
    expect(await app.settle(source.getToken())).toMatchObject({ code: 'invalidated' })
    expect(app.service.requests.length).toBeLessThan(6)
    source.dispose()
  })

  it('drops the token of the previous user even if the fetch that detects the change fails', async () => {
    using source = app.createSource()
    await source.getToken()
    await app.clock.advance(23.6 * hour)
    app.user = 'bob'
    app.service.faults = () => 'reset'
    await app.clock.advance(10 * minute)
    expect(await app.settle(source.getToken())).toMatchObject({ code: 'network-failed' })
    app.service.faults = () => undefined
    expect(await app.settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })

  it('discards a late sign-in token of the previous user', async () => {
    let resolveSignIn: (token: string) => void = () => {}
    const signIn = { isImmediate: true }
    using source = app.createSource({
      getSignInToken: () =>
        signIn.isImmediate ? createSignInToken(app.user) : new Promise<string>((resolve) => (resolveSignIn = resolve)),
    })
    signIn.isImmediate = false
    const waiting = source.getToken()
    await app.clock.advance(10)
    app.user = 'bob'
    source.invalidate()
    signIn.isImmediate = true
    expect(await source.getToken()).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
    resolveSignIn(createSignInToken('alice'))
    expect(await app.settle(waiting)).toMatchObject({ code: 'invalidated' })
    expect(await source.getToken()).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })

  it('accepts a cached token of the service for a new user', async () => {
    using source = app.createSource()
    await source.getToken()
    app.user = 'bob'
    source.invalidate()
    await source.getToken()
    expect(app.service.requests.map(({ body }) => body.refresh)).toEqual([undefined, undefined])
  })

  it('fetches concurrent requests of a new user', async () => {
    using source = app.createSource()
    await source.getToken()
    app.user = 'bob'
    source.invalidate()
    const both = [source.getToken({ scopes: ['chat'] }), source.getToken({ scopes: ['voip'] })]
    for (const token of await Promise.all(both)) expect(token.communicationUserId).toBe('8:acs:resource_bob')
  })

  it('drops cached tokens when the user changes without invalidate', async () => {
    using source = app.createSource()
    await source.getToken({ scopes: ['chat'] })
    app.user = 'bob'
    await source.getToken({ scopes: ['voip'] })
    expect(await source.getToken({ scopes: ['chat'] })).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })
})

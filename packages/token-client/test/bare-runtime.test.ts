import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { AbortController as OldAbortController } from 'abort-controller'
import { build } from 'esbuild'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type * as surface from '../src/index.ts'
import { FakeService, createSignInToken, type Fault } from './fake-service.ts'
import { VirtualClock } from './virtual-clock.ts'

const hour = 3600_000

let code: string

beforeAll(async () => {
  const entryPoints = [join(import.meta.dirname, '../src/index.ts')]
  const options = { bundle: true, format: 'iife', globalName: 'client', write: false } as const
  code = (await build({ entryPoints, ...options })).outputFiles[0]!.text
})

// React Native's AbortSignal has no `reason`, `throwIfAborted`, `any` or `timeout`.
describe.each([
  ['the standard AbortController', AbortController],
  ['the AbortController of React Native', OldAbortController as unknown as typeof AbortController],
])('with nothing but fetch, timers and %s', (_name, Controller) => {
  let clock: VirtualClock
  let service: FakeService
  let client: typeof surface
  let user: string

  beforeEach(() => {
    clock = new VirtualClock()
    service = new FakeService(clock)
    user = 'alice'
    const globals = { fetch: fetchWithOldSignals, AbortController: Controller, setTimeout, clearTimeout }
    client = runInContext(`${code}; client`, createContext(globals)) as typeof surface
  })

  /** Node's `Request` accepts only Node's own signals. */
  const fetchWithOldSignals: typeof fetch = (input, init = {}) => {
    const controller = new AbortController()
    init.signal?.addEventListener('abort', () => controller.abort())
    return service.fetch(input, { ...init, signal: controller.signal })
  }

  const createSource = (options = {}) =>
    client.tokenSource({
      url: 'https://tokens.example.com',
      getSignInToken: () => createSignInToken(user),
      clock,
      ...options,
    })

  async function settle(promise: Promise<unknown>) {
    let settlement: unknown = 'pending'
    const record = (value: unknown) => (settlement = value)
    await clock.advanceUntil(promise.then(record, record), hour)
    return settlement
  }

  it('returns, caches, renews and expires a token', async () => {
    const source = createSource()
    const first = await source.getToken({ scopes: ['voip', 'chat'] })
    expect(first).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
    expect(await source.getToken({ scopes: ['chat', 'voip'] })).toBe(first)
    await clock.advance(23.8 * hour)
    expect(service.requests).toHaveLength(2)
    service.faults = () => ({ status: 403, code: 'scope-not-allowed' })
    await clock.advance(25 * hour)
    expect(await settle(source.getToken({ scopes: ['chat', 'voip'] }))).toMatchObject({ code: 'scope-not-allowed' })
  })

  it('rejects when the signal aborts', async () => {
    service.faults = () => 'hang'
    const source = createSource({ clock: undefined })
    const controller = new Controller()
    const waiting = source.getToken({ signal: controller.signal })
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    await expect(source.getToken({ signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' })
    source.dispose()
  })

  it.each<[Fault, string]>([
    ['hang', 'timeout'],
    ['reset', 'network-failed'],
    [{ status: 503, code: 'communication-unavailable' }, 'communication-unavailable'],
  ])('retries after %o, and reports it as %s', async (fault, code) => {
    const source = createSource()
    let left = 1
    service.faults = () => (left-- > 0 ? fault : undefined)
    expect(await settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
    service.faults = () => fault
    source.invalidate()
    expect(await settle(source.getToken())).toMatchObject({ code })
    expect(await settle(source.revokeTokens())).toMatchObject({ code })
  })

  it('respects Retry-After', async () => {
    service.faults = () => ({ status: 503, code: 'store-unavailable', retryAfter: 120 })
    expect(await settle(createSource().getToken())).toMatchObject({ code: 'store-unavailable', retryAfter: 120 })
    expect(service.requests).toHaveLength(1)
  })

  it('detects another user', async () => {
    const source = createSource()
    await source.getToken()
    user = 'bob'
    await source.getToken({ scopes: ['chat'] })
    expect(await source.getToken()).toMatchObject({ communicationUserId: '8:acs:resource_bob' })
  })

  it('settles every call on invalidate and dispose', async () => {
    service.faults = () => 'hang'
    const source = createSource()
    const call = source.getIdentity().catch((error: unknown) => error)
    const waiting = source.getToken().catch((error: unknown) => error)
    await clock.advance(100)
    source.invalidate()
    await clock.advance(100)
    source.dispose()
    expect(await settle(waiting)).toMatchObject({ code: 'disposed' })
    expect(await settle(call)).toMatchObject({ code: 'disposed' })
    await expect(source.getToken()).rejects.toMatchObject({ code: 'disposed' })
    await clock.advance(0)
    expect(clock.pending).toBe(0)
  })

  it('aborts the signal of a custom source', async () => {
    let signal: AbortSignal | undefined
    const source = client.customTokenSource(
      (_request, context) => {
        signal = context.signal
        return new Promise<never>(() => {})
      },
      { clock },
    )
    expect(await settle(source.getToken())).toMatchObject({ code: 'timeout' })
    expect(signal?.aborted).toBe(true)
  })

  it('returns a literal token', async () => {
    const token = { token: 'a', expiresOn: '2026-01-01T00:00:00Z' }
    expect(await client.literalTokenSource(token).getToken()).toBe(token)
  })
})

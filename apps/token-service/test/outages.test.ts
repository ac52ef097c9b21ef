import type { Fault } from '@acs-kit/communication-emulator'
import { storeConnectionString } from '@acs-kit/test-support/store-connection'
import { StoreProxy } from '@acs-kit/test-support/store-proxy'
import { afterEach, expect, it, vi } from 'vitest'
import { outage, ServiceFixture } from './service-fixture.ts'

const deadlineMs = 1000

afterEach(() => vi.useRealTimers())

async function startFixture(): Promise<ServiceFixture> {
  return ServiceFixture.start({ env: { UPSTREAM_DEADLINE_MS: String(deadlineMs) } })
}

it.each<[string, Fault]>([
  ['down', { reset: true }],
  ['failing', { status: 500, retryAfterSeconds: 60 }],
  ['slow', { latencyMs: 600_000 }],
  ['throttling', { status: 429, retryAfterSeconds: 30 }],
])('serves cached users, rejects others with 503 in time, and recovers when Azure is %s', async (_name, fault) => {
  await using fixture = await startFixture()
  const cached = (await fixture.call('POST /v1/token')).body
  const bob = await fixture.issuer.sign({ sub: 'bob' })
  fixture.emulator.faults.add(fault)
  const rejections = Array.from({ length: 8 }, async (_, index) => {
    expect((await fixture.call('POST /v1/token')).body).toEqual(cached)
    // Long before a slow Azure would respond.
    const rejected = await fixture.call('POST /v1/token', { claims: { sub: `uncached ${index}` } })
    expect(rejected.status).toBe(503)
    expect(rejected.body).toMatchObject({
      code: expect.stringMatching(/^communication-(?:unavailable|throttled)$/),
      retryAfter: expect.any(Number),
    })
  })
  await Promise.all(rejections)
  fixture.emulator.faults.clear()
  if (fault.status === 429) return
  // The circuit breaker, which reads `Date`, allows the next request after two seconds.
  vi.setSystemTime(Date.now() + 2000)
  await expect.poll(async () => (await fixture.call('POST /v1/token', { token: bob })).status).toBe(200)
})

it('rejects immediately after repeated failures of Azure', async () => {
  await using fixture = await startFixture()
  fixture.emulator.faults.add(outage)
  for (let index = 0; index < 5; index++) await fixture.call('POST /v1/token')
  fixture.emulator.requests.clear()
  const response = await fixture.call('POST /v1/token')
  expect(response.body).toMatchObject({
    code: 'communication-unavailable',
    detail: expect.stringContaining('circuit open'),
  })
  expect(fixture.emulator.requests.list()).toHaveLength(0)
})

it("stays within the resource's limits when many users sign in at once", async () => {
  // A busy machine must not exceed the deadlines of the store.
  const timeout = AbortSignal.timeout.bind(AbortSignal)
  using _spy = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(10 * ms))
  await using fixture = await ServiceFixture.start({ emulator: { quotas: true }, env: { INSTANCES: '20' } })
  const tokens = await Promise.all(
    Array.from({ length: 100 }, (_, index) => fixture.issuer.sign({ sub: `user ${index}` })),
  )
  const responses = await Promise.all(tokens.map((token) => fixture.call('POST /v1/token', { token })))
  const served = responses.filter(({ status }) => status === 200)
  const rejected = responses.filter(({ status }) => status === 503)
  // A twentieth of 1000 in 30 seconds, less 5 %.
  expect(served).toHaveLength(47)
  expect(rejected).toHaveLength(53)
  for (const { body } of rejected) {
    expect(body.code).toBe('communication-throttled')
    expect(body.retryAfter).toBeGreaterThanOrEqual(20)
    expect(body.retryAfter).toBeLessThanOrEqual(36)
  }
  // Different delays keep clients from retrying together.
  expect(new Set(rejected.map(({ body }) => body.retryAfter)).size).toBeGreaterThan(1)
  expect(fixture.emulator.requests.list().filter(({ status }) => status === 429)).toHaveLength(0)
  expect(fixture.emulator.identities()).toHaveLength(47)
})

it.each(['cut', 'hang'] as const)(
  'serves cached users until the bound and rejects others with 503 when the store is down (%s)',
  async (state) => {
    let clock = Date.now()
    await using store = await StoreProxy.start(storeConnectionString())
    await using fixture = await ServiceFixture.start({ store, now: () => clock })
    const call = (sub: string) => fixture.call('POST /v1/token', { claims: { sub } })
    const cached = (await call('alice')).body
    store.state = state
    for (const rejected of await Promise.all(Array.from({ length: 6 }, (_, index) => call(`uncached ${index}`)))) {
      expect(rejected).toMatchObject({
        status: 503,
        body: { code: 'store-unavailable', retryAfter: expect.any(Number) },
      })
    }
    // The circuit breaker is open and allows at most one probe.
    store.requests.length = 0
    await Promise.all(Array.from({ length: 10 }, (_, index) => call(`late uncached ${index}`)))
    expect(store.requests.length).toBeLessThan(10)
    clock += 299_000
    expect((await call('alice')).body).toEqual(cached)
    clock += 1000
    expect(await call('alice')).toMatchObject({ status: 503, body: { code: 'store-unavailable' } })
    store.state = 'up'
    await expect.poll(async () => (await call('alice')).body).toEqual(cached)
    expect((await call('uncached')).status).toBe(200)
  },
)

it('bridges an outage of the store for longer by checking cached identities early', async () => {
  let clock = Date.now()
  await using store = await StoreProxy.start(storeConnectionString())
  await using fixture = await ServiceFixture.start({ store, now: () => clock })
  const call = () => fixture.call('POST /v1/token')
  await call()
  store.requests.length = 0
  clock += 200_000
  await call()
  await expect.poll(() => store.requests).toContain('GET user')
  store.state = 'cut'
  clock += 200_000
  await expect.poll(async () => (await call()).status).toBe(200)
})

it('returns the latest health check as readiness, without requests', async () => {
  await using store = await StoreProxy.start(storeConnectionString())
  await using fixture = await ServiceFixture.start({ store })
  const ready = () => fixture.call('GET /readyz', { token: null })
  expect(await ready()).toMatchObject({ status: 503, body: { status: 'not-ready', store: 'unknown' } })
  await fixture.service.health.check()
  expect(await ready()).toMatchObject({ status: 200, body: { status: 'ready', store: 'ok', communication: 'ok' } })
  const requests = fixture.emulator.requests.list().length
  await Promise.all(Array.from({ length: 100 }, ready))
  expect(fixture.emulator.requests.list()).toHaveLength(requests)
  store.state = 'cut'
  fixture.emulator.faults.add(outage)
  await fixture.service.health.check()
  expect(await ready()).toMatchObject({ status: 503, body: { store: 'down', communication: 'down' } })
  expect(await fixture.call('GET /healthz', { token: null })).toMatchObject({ status: 200, body: { status: 'ok' } })
})

it('logs what the service lacks when the store denies access', async () => {
  const IDENTITY_STORE_CONNECTION_STRING = storeConnectionString().replace(/AccountKey=[^;]+/, 'AccountKey=a2V5')
  await using fixture = await ServiceFixture.start({ env: { IDENTITY_STORE_CONNECTION_STRING } })
  await fixture.service.health.check()
  expect(fixture.service.health.state).toMatchObject({ store: 'down', communication: 'ok' })
  const [line] = fixture.lines({ level: 40 })
  expect(line!['msg']).toMatch(/: the identity store denied access: .* the role Storage Table Data Contributor/)
})

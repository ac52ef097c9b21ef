import { storeConnectionString } from '@acs-kit/test-support/store-connection'
import { StoreProxy } from '@acs-kit/test-support/store-proxy'
import { expect, test } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

const deadlineMs = 500

async function startFixture(): Promise<ServiceFixture> {
  return ServiceFixture.start({ env: { UPSTREAM_DEADLINE_MS: String(deadlineMs) } })
}

test.each([
  ['down', { reset: true }],
  ['failing', { status: 500 }],
  ['slow', { latencyMs: 600_000 }],
  ['throttling', { status: 429, retryAfterSeconds: 30 }],
])(
  'when Azure is %s, cached users are served, others get a clear 503 in time, and all is well afterwards',
  async (_name, fault) => {
    await using fixture = await startFixture()
    const cached = (await fixture.call('POST /v1/token')).body
    const bob = await fixture.issuer.sign({ sub: 'bob' })
    fixture.emulator.faults.add(fault)
    for (let index = 0; index < 8; index++) {
      expect((await fixture.call('POST /v1/token')).body).toEqual(cached)
      // Long before a slow Azure responds.
      const refused = await fixture.call('POST /v1/token', { token: bob })
      expect(refused.status).toBe(503)
      expect(refused.body).toMatchObject({
        code: expect.stringMatching(/^communication-(?:unavailable|throttled)$/),
        retryAfter: expect.any(Number),
      })
    }
    fixture.emulator.faults.clear()
    if ('retryAfterSeconds' in fault) return
    await expect.poll(async () => (await fixture.call('POST /v1/token', { token: bob })).status).toBe(200)
  },
)

test('once it fails repeatedly, Azure is left alone, and its callers don’t wait', async () => {
  await using fixture = await startFixture()
  fixture.emulator.faults.add({ status: 500 })
  for (let index = 0; index < 5; index++) await fixture.call('POST /v1/token')
  fixture.emulator.requests.clear()
  const answer = await fixture.call('POST /v1/token')
  expect(answer.body).toMatchObject({
    code: 'communication-unavailable',
    detail: expect.stringContaining('circuit open'),
  })
  expect(fixture.emulator.requests.list()).toHaveLength(0)
})

test('the limits of the resource are kept, whoever comes back at once', async () => {
  await using fixture = await ServiceFixture.start({ emulator: { quotas: true }, env: { INSTANCES: '20' } })
  const tokens = await Promise.all(
    Array.from({ length: 100 }, (_, index) => fixture.issuer.sign({ sub: `user ${index}` })),
  )
  const answers = await Promise.all(tokens.map((token) => fixture.call('POST /v1/token', { token })))
  const served = answers.filter(({ status }) => status === 200)
  const refused = answers.filter(({ status }) => status === 503)
  // A twentieth of 1000 in 30 seconds, less 5 %.
  expect(served).toHaveLength(47)
  expect(refused).toHaveLength(53)
  for (const { body } of refused) {
    expect(body.code).toBe('communication-throttled')
    expect(body.retryAfter).toBeGreaterThanOrEqual(20)
    expect(body.retryAfter).toBeLessThanOrEqual(36)
  }
  // They don't come back together.
  expect(new Set(refused.map(({ body }) => body.retryAfter)).size).toBeGreaterThan(1)
  expect(fixture.emulator.requests.list().filter(({ status }) => status === 429)).toHaveLength(0)
  expect(fixture.emulator.identities()).toHaveLength(47)
})

test.each(['cut', 'hang'] as const)(
  'when the store is down (%s), cached users are served until the bound, others get 503 at once',
  async (state) => {
    let clock = Date.now()
    await using store = await StoreProxy.start(storeConnectionString())
    await using fixture = await ServiceFixture.start({
      now: () => clock,
      env: { IDENTITY_STORE_CONNECTION_STRING: store.connectionString },
    })
    const call = async (sub: string) =>
      fixture.call('POST /v1/token', { token: await fixture.issuer.sign({ sub }, { now: clock }) })
    const cached = (await call('alice')).body
    store.state = state
    for (let index = 0; index < 6; index++) {
      expect(await call(`stranger ${index}`)).toMatchObject({
        status: 503,
        body: { code: 'store-unavailable', retryAfter: expect.any(Number) },
      })
    }
    // The circuit breaker is open: it lets at most one probe through.
    store.requests.length = 0
    await Promise.all(Array.from({ length: 10 }, (_, index) => call(`late stranger ${index}`)))
    expect(store.requests.length).toBeLessThan(10)
    clock += 299_000
    expect((await call('alice')).body).toEqual(cached)
    clock += 1000
    expect(await call('alice')).toMatchObject({ status: 503, body: { code: 'store-unavailable' } })
    store.state = 'up'
    await expect.poll(async () => (await call('alice')).body).toEqual(cached)
    expect((await call('stranger')).status).toBe(200)
  },
)

test('an early look at the store lets an outage be noticed late', async () => {
  let clock = Date.now()
  await using store = await StoreProxy.start(storeConnectionString())
  await using fixture = await ServiceFixture.start({
    now: () => clock,
    env: { IDENTITY_STORE_CONNECTION_STRING: store.connectionString },
  })
  const call = async () => fixture.call('POST /v1/token', { token: await fixture.issuer.sign({}, { now: clock }) })
  await call()
  store.requests.length = 0
  clock += 200_000
  await call()
  await expect.poll(() => store.requests).toContain('GET user')
  store.state = 'cut'
  clock += 200_000
  await expect.poll(async () => (await call()).status).toBe(200)
})

test('readiness tells what was found lately, and asking costs nothing', async () => {
  await using store = await StoreProxy.start(storeConnectionString())
  await using fixture = await ServiceFixture.start({
    env: { IDENTITY_STORE_CONNECTION_STRING: store.connectionString },
  })
  const ready = () => fixture.call('GET /readyz', { token: null })
  expect(await ready()).toMatchObject({ status: 503, body: { status: 'not-ready', store: 'unknown' } })
  await fixture.service.health.check()
  expect(await ready()).toMatchObject({ status: 200, body: { status: 'ready', store: 'ok', communication: 'ok' } })
  const asked = fixture.emulator.requests.list().length
  await Promise.all(Array.from({ length: 100 }, ready))
  expect(fixture.emulator.requests.list()).toHaveLength(asked)
  store.state = 'cut'
  fixture.emulator.faults.add({ status: 500 })
  await fixture.service.health.check()
  expect(await ready()).toMatchObject({ status: 503, body: { store: 'down', communication: 'down' } })
  expect(await fixture.call('GET /healthz', { token: null })).toMatchObject({ status: 200, body: { status: 'ok' } })
})

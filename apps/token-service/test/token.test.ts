import { describe, expect, it } from 'vitest'
import { sdk, ServiceFixture } from './service-fixture.ts'

const minute = 60_000

it('creates the identity with the first token, and returns the second one from the cache', async () => {
  await using fixture = await ServiceFixture.start()
  const first = await fixture.call('POST /v1/token')
  expect(first).toMatchObject({
    status: 200,
    body: {
      communicationUserId: expect.stringMatching(/^8:acs:/),
      scopes: ['chat', 'voip'],
      endpoint: fixture.emulator.endpoint.replace(/\/$/, ''),
    },
  })
  expect(fixture.emulator.introspect(first.body.token).state).toBe('valid')
  expect((await fixture.call('POST /v1/token')).body).toEqual(first.body)
  expect(fixture.emulator.identities()).toHaveLength(1)
  expect(fixture.emulator.requests.list()).toHaveLength(sdk === 'identity' ? 1 : 2)
})

it('keeps one identity through hundreds of refreshes', async () => {
  await using fixture = await ServiceFixture.start()
  const ids = new Set<string>()
  for (let round = 0; round < 47; round++) {
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => fixture.call('POST /v1/token', { body: { refresh: true } })),
    )
    for (const { body } of responses) ids.add(body.communicationUserId)
  }
  expect(ids.size).toBe(1)
  expect(fixture.emulator.identities()).toHaveLength(1)
})

it('shares one request to Azure among concurrent requests', async () => {
  await using fixture = await ServiceFixture.start()
  await fixture.call('POST /v1/token')
  fixture.emulator.requests.clear()
  fixture.emulator.faults.add({ latencyMs: 50 })
  const responses = await Promise.all(
    Array.from({ length: 50 }, () => fixture.call('POST /v1/token', { body: { scopes: ['chat'] } })),
  )
  expect(new Set(responses.map(({ body }) => body.token)).size).toBe(1)
  expect(fixture.emulator.requests.list()).toHaveLength(1)
})

it('returns a cached token with at least 20 minutes left, and renews it before', async () => {
  let clock = Date.now()
  await using fixture = await ServiceFixture.start({ now: () => clock, random: () => 1 })
  fixture.emulator.clock.set(new Date(clock))
  const call = async () => (await fixture.call('POST /v1/token')).body
  const first = await call()
  const advance = (ms: number) => {
    clock += ms
    fixture.emulator.clock.advance(ms)
  }
  // This test's random number renews tokens five minutes early.
  advance(Date.parse(first.expiresOn) - clock - 26 * minute)
  expect((await call()).token).toBe(first.token)
  advance(2 * minute)
  const second = await call()
  expect(second.token).not.toBe(first.token)
  expect(Date.parse(second.expiresOn) - clock).toBeGreaterThan(20 * minute)
})

describe('the scope policy', () => {
  const policy = {
    default: { scopes: ['chat', 'voip'], maxExpiresInMinutes: 1440 },
    roles: {
      guest: { scopes: ['chat.join', 'voip.join'], maxExpiresInMinutes: 60 },
      host: { scopes: ['chat', 'chat.join'], maxExpiresInMinutes: 120 },
    },
  }

  it.runIf(sdk === 'identity').each([
    ['the requested ones that are allowed', [], ['voip', 'chat.join'], ['voip'], 1440],
    ['those of a role instead of the default', ['guest'], undefined, ['chat.join', 'voip.join'], 60],
    ['those of two roles together', ['guest', 'host'], undefined, ['chat', 'chat.join', 'voip.join'], 120],
    ['the default for a role without a rule', ['painter'], undefined, ['chat', 'voip'], 1440],
    ['the default for a role named like a property', ['constructor'], undefined, ['chat', 'voip'], 1440],
  ])('grants %s', async (_name, roles, scopes, granted, minutes) => {
    await using fixture = await ServiceFixture.start({ env: { SCOPE_POLICY: JSON.stringify(policy) }, random: () => 0 })
    const { body } = await fixture.call('POST /v1/token', { claims: { roles }, ...(scopes && { body: { scopes } }) })
    expect(body.scopes).toEqual(granted)
    const [issued] = await fixture.emulator.tokens()
    expect(issued!.scopes).toEqual(granted)
    expect(Math.round((issued!.expiresOn!.getTime() - Date.now()) / minute)).toBe(minutes)
  })

  it('limits a guest to the scopes of guests, whatever the request', async () => {
    await using fixture = await ServiceFixture.start()
    const claims = { roles: ['guest'] }
    const { status, body } = await fixture.call('POST /v1/token', { claims, body: { scopes: ['chat', 'voip'] } })
    expect(status).toBe(403)
    expect(body).toMatchObject({ code: 'scope-not-allowed', detail: expect.stringContaining('chat.join, voip.join') })
    expect(fixture.emulator.identities()).toHaveLength(0)
  })

  it('grants no scopes without a role if it has no default', async () => {
    await using fixture = await ServiceFixture.start()
    const policy = {
      default: { scopes: [], maxExpiresInMinutes: 60 },
      roles: { member: { scopes: ['chat'], maxExpiresInMinutes: 1440 } },
    }
    const service = await fixture.addInstance({ SCOPE_POLICY: JSON.stringify(policy) })
    const call = async (claims: Record<string, unknown>) =>
      (await fixture.call('POST /v1/token', { service, claims })).body
    for (const claims of [{}, { roles: [] }, { roles: ['other'] }, { scp: 'member' }]) {
      expect(await call(claims)).toMatchObject({
        code: 'scope-not-allowed',
        detail: expect.stringMatching(/may not have the requested scopes\. Assign a role that SCOPE_POLICY names/),
      })
    }
    expect(fixture.emulator.identities()).toHaveLength(0)
    expect((await call({ roles: ['member'] })).scopes).toEqual(['chat'])
  })

  it('rejects an unknown scope by its position', async () => {
    await using fixture = await ServiceFixture.start()
    const { status, body } = await fixture.call('POST /v1/token', { body: { scopes: ['chat', 'bogus'] } })
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'scope-unknown', detail: expect.stringContaining('scopes/1') })
  })
})

describe.runIf(sdk === 'identity')('a lifetime', () => {
  it('is as requested, up to the maximum, and up to a tenth shorter', async () => {
    let random = 0
    await using fixture = await ServiceFixture.start({ random: () => random })
    const getMinutes = async (body: object) => {
      const response = await fixture.call('POST /v1/token', { body: { ...body, refresh: true } })
      return Math.round((Date.parse(response.body.expiresOn) - Date.now()) / minute)
    }
    expect(await getMinutes({})).toBe(1440)
    expect(await getMinutes({ expiresInMinutes: 600 })).toBe(600)
    random = 1
    expect(await getMinutes({ expiresInMinutes: 600 })).toBe(540)
    expect(await getMinutes({ expiresInMinutes: 60 })).toBe(60)
  })

  it.each([59, 1441, 60.5, '60', null])('is rejected if invalid: %j', async (expiresInMinutes) => {
    await using fixture = await ServiceFixture.start()
    const { status, body } = await fixture.call('POST /v1/token', { body: { expiresInMinutes } })
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'request-invalid', detail: expect.stringContaining('expiresInMinutes') })
  })
})

it.runIf(sdk === 'administration')('rejects what the administration SDK does not support', async () => {
  await using fixture = await ServiceFixture.start()
  const lifetime = await fixture.call('POST /v1/token', { body: { expiresInMinutes: 60 } })
  expect(lifetime).toMatchObject({ status: 501, body: { code: 'driver-unsupported' } })
  expect((await fixture.call('POST /v1/token', { body: { expiresInMinutes: 1440 } })).status).toBe(200)
  const claims = { roles: ['guest'] }
  expect((await fixture.call('POST /v1/token', { claims })).body.code).toBe('driver-unsupported')
})

it('caches the latest tokens of a user with many grants', async () => {
  await using fixture = await ServiceFixture.start()
  await fixture.call('POST /v1/token')
  const sets = [['chat'], ['voip'], ['chat', 'voip']]
  const lifetimes = sdk === 'identity' ? [60, 70, 80] : [undefined]
  for (const scopes of sets) {
    for (const expiresInMinutes of lifetimes)
      await fixture.call('POST /v1/token', { body: { scopes, expiresInMinutes } })
  }
  fixture.emulator.requests.clear()
  await fixture.call('POST /v1/token', { body: { scopes: sets.at(-1), expiresInMinutes: lifetimes.at(-1) } })
  expect(fixture.emulator.requests.list()).toHaveLength(0)
})

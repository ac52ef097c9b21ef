import { describe, expect, test } from 'vitest'
import { sdk, ServiceFixture } from './service-fixture.ts'

const minute = 60_000

test('the first token creates the identity, the second comes from the cache', async () => {
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

test('the same user has the same identity for ever: hundreds of refreshes, one identity', async () => {
  await using fixture = await ServiceFixture.start()
  const ids = new Set<string>()
  for (let round = 0; round < 47; round++) {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => fixture.call('POST /v1/token', { body: { refresh: true } })),
    )
    for (const { body } of answers) ids.add(body.communicationUserId)
  }
  expect(ids.size).toBe(1)
  expect(fixture.emulator.identities()).toHaveLength(1)
})

test('all who wait for the same token share one call', async () => {
  await using fixture = await ServiceFixture.start()
  await fixture.call('POST /v1/token')
  fixture.emulator.requests.clear()
  fixture.emulator.faults.add({ latencyMs: 50 })
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => fixture.call('POST /v1/token', { body: { scopes: ['chat'] } })),
  )
  expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1)
  expect(fixture.emulator.requests.list()).toHaveLength(1)
})

test('a token is handed out while it has 20 minutes to live, and renewed before it has less', async () => {
  let clock = Date.now()
  await using fixture = await ServiceFixture.start({ now: () => clock, random: () => 1 })
  fixture.emulator.clock.set(new Date(clock))
  const call = async () =>
    (await fixture.call('POST /v1/token', { token: await fixture.issuer.sign({}, { now: clock }) })).body
  const first = await call()
  const advance = (ms: number) => {
    clock += ms
    fixture.emulator.clock.advance(ms)
  }
  // The jitter of this test's random: five minutes earlier than needed.
  advance(Date.parse(first.expiresOn) - clock - 26 * minute)
  expect((await call()).token).toBe(first.token)
  advance(2 * minute)
  const second = await call()
  expect(second.token).not.toBe(first.token)
  expect(Date.parse(second.expiresOn) - clock).toBeGreaterThan(20 * minute)
})

describe('scopes', () => {
  const policy = {
    default: { scopes: ['chat', 'voip'], maxExpiresInMinutes: 1440 },
    roles: {
      guest: { scopes: ['chat.join', 'voip.join'], maxExpiresInMinutes: 60 },
      host: { scopes: ['chat', 'chat.join'], maxExpiresInMinutes: 120 },
    },
  }

  test.runIf(sdk === 'identity').each([
    ['what is asked for, of what is allowed', [], ['voip', 'chat.join'], ['voip'], 1440],
    ['a role’s instead of the default ones', ['guest'], undefined, ['chat.join', 'voip.join'], 60],
    ['those of two roles together', ['guest', 'host'], undefined, ['chat', 'chat.join', 'voip.join'], 120],
    ['the default ones for a role without a rule', ['painter'], undefined, ['chat', 'voip'], 1440],
    ['the default ones for a role named like a property', ['constructor'], undefined, ['chat', 'voip'], 1440],
  ])('are %s', async (_name, roles, scopes, granted, minutes) => {
    await using fixture = await ServiceFixture.start({ env: { SCOPE_POLICY: JSON.stringify(policy) }, random: () => 0 })
    const token = await fixture.issuer.sign({ roles })
    const { body } = await fixture.call('POST /v1/token', { token, ...(scopes && { body: { scopes } }) })
    expect(body.scopes).toEqual(granted)
    const [issued] = await fixture.emulator.tokens()
    expect(issued!.scopes).toEqual(granted)
    expect(Math.round((issued!.expiresOn!.getTime() - Date.now()) / minute)).toBe(minutes)
  })

  test('a guest can’t get more than joining, whatever it asks for', async () => {
    await using fixture = await ServiceFixture.start()
    const token = await fixture.issuer.sign({ roles: ['guest'] })
    const { status, body } = await fixture.call('POST /v1/token', { token, body: { scopes: ['chat', 'voip'] } })
    expect(status).toBe(403)
    expect(body).toMatchObject({ code: 'scope-not-allowed', detail: expect.stringContaining('chat.join, voip.join') })
    expect(fixture.emulator.identities()).toHaveLength(0)
  })

  test('a policy without default scopes gives nothing to a user without a role', async () => {
    await using fixture = await ServiceFixture.start()
    const policy = {
      default: { scopes: [], maxExpiresInMinutes: 60 },
      roles: { member: { scopes: ['chat'], maxExpiresInMinutes: 1440 } },
    }
    const service = await fixture.addInstance({ SCOPE_POLICY: JSON.stringify(policy) })
    const call = async (claims: object) => {
      const token = await fixture.issuer.sign({ ...claims })
      return (await fixture.call('POST /v1/token', { service, token })).body
    }
    for (const claims of [{}, { roles: [] }, { roles: ['other'] }, { scp: 'member' }]) {
      expect(await call(claims)).toMatchObject({
        code: 'scope-not-allowed',
        detail: 'Scopes allowed for this user: none without a role that SCOPE_POLICY names.',
      })
    }
    expect(fixture.emulator.identities()).toHaveLength(0)
    expect((await call({ roles: ['member'] })).scopes).toEqual(['chat'])
  })

  test('an unknown scope is refused by name', async () => {
    await using fixture = await ServiceFixture.start()
    const { status, body } = await fixture.call('POST /v1/token', { body: { scopes: ['chat', 'bogus'] } })
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'scope-unknown', detail: expect.stringContaining('scopes/1') })
  })
})

describe.runIf(sdk === 'identity')('lifetimes', () => {
  test('are what is asked for, up to the cap, and up to a tenth shorter', async () => {
    let random = 0
    await using fixture = await ServiceFixture.start({ random: () => random })
    const minutesOf = async (body: object) => {
      const answer = await fixture.call('POST /v1/token', { body: { ...body, refresh: true } })
      return Math.round((Date.parse(answer.body.expiresOn) - Date.now()) / minute)
    }
    expect(await minutesOf({})).toBe(1440)
    expect(await minutesOf({ expiresInMinutes: 600 })).toBe(600)
    random = 1
    expect(await minutesOf({ expiresInMinutes: 600 })).toBe(540)
    expect(await minutesOf({ expiresInMinutes: 60 })).toBe(60)
  })

  test.each([59, 1441, 60.5, '60', null])('%j is refused', async (expiresInMinutes) => {
    await using fixture = await ServiceFixture.start()
    const { status, body } = await fixture.call('POST /v1/token', { body: { expiresInMinutes } })
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'request-invalid', detail: expect.stringContaining('expiresInMinutes') })
  })
})

test.runIf(sdk === 'administration')('what the administration SDK can’t do is refused by name', async () => {
  await using fixture = await ServiceFixture.start()
  const lifetime = await fixture.call('POST /v1/token', { body: { expiresInMinutes: 60 } })
  expect(lifetime).toMatchObject({ status: 501, body: { code: 'driver-unsupported' } })
  expect((await fixture.call('POST /v1/token', { body: { expiresInMinutes: 1440 } })).status).toBe(200)
  const guest = await fixture.issuer.sign({ roles: ['guest'] })
  expect((await fixture.call('POST /v1/token', { token: guest })).body.code).toBe('driver-unsupported')
})

test('the last of many different tokens of a user are kept', async () => {
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

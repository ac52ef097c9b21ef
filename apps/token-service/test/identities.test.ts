import { storeConnectionString } from '@acs-kit/test-support/store-connection'
import { StoreProxy } from '@acs-kit/test-support/store-proxy'
import { describe, expect, it } from 'vitest'
import { outage, ServiceFixture, type CallOptions } from './service-fixture.ts'

/** Longer than a test holds a request at Azure. */
const env = { UPSTREAM_DEADLINE_MS: '60000' }

describe('a first login', () => {
  it('creates one identity for a hundred concurrent requests to three instances, and leaves nothing behind', async () => {
    await using fixture = await ServiceFixture.start()
    const services = [fixture.service, await fixture.addInstance(), await fixture.addInstance()]
    const responses = await Promise.all(
      Array.from({ length: 100 }, (_, index) => fixture.call('POST /v1/token', { service: services[index % 3]! })),
    )
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(responses.map(({ body }) => body.communicationUserId)).size).toBe(1)
    await Promise.all(services.map((service) => service.close()))
    expect(fixture.emulator.identities()).toHaveLength(1)
    expect(await fixture.readJournal()).toEqual([])
  })

  it('leaves an intent if the response of Azure is lost, and works when repeated', async () => {
    await using fixture = await ServiceFixture.start()
    fixture.emulator.faults.add({ operation: 'createIdentity', reset: true, phase: 'after', count: 1 })
    const { status, body } = await fixture.call('POST /v1/token')
    expect(status).toBe(503)
    expect(body).toMatchObject({ code: 'communication-unavailable', retryAfter: expect.any(Number) })
    expect(await fixture.readJournal()).toEqual([expect.objectContaining({ kind: 'create' })])
    const again = await fixture.call('POST /v1/token')
    expect(again.status).toBe(200)
    // The user's, and an unused one whose id is unknown.
    expect(fixture.emulator.identities()).toHaveLength(2)
  })

  it('leaves nothing behind if Azure rejects it', async () => {
    await using fixture = await ServiceFixture.start()
    fixture.emulator.faults.add({ operation: 'createIdentity', status: 429, retryAfterSeconds: 60, count: 1 })
    const { status, body, headers } = await fixture.call('POST /v1/token')
    expect(status).toBe(503)
    expect(body).toMatchObject({ code: 'communication-throttled', retryAfter: 60 })
    expect(headers['retry-after']).toBe('60')
    await fixture.service.close()
    expect(await fixture.readJournal()).toEqual([])
  })
})

describe('the reaper', () => {
  it('marks an unfinished creation as lost after the grace period, and removes it after 30 days', async () => {
    let clock = Date.now()
    await using fixture = await ServiceFixture.start({ now: () => clock })
    fixture.emulator.faults.add({ operation: 'createIdentity', reset: true, phase: 'after', count: 1 })
    await fixture.call('POST /v1/token')
    await fixture.service.identities.reaper.run()
    expect(await fixture.readJournal()).toEqual([expect.objectContaining({ kind: 'create' })])
    clock += 60_000
    await fixture.service.identities.reaper.run()
    expect(await fixture.readJournal()).toEqual([expect.objectContaining({ kind: 'lost' })])
    expect(fixture.logged).toContain('an unused identity may remain')
    clock += 31 * 24 * 60 * 60_000
    await fixture.service.identities.reaper.run()
    expect(await fixture.readJournal()).toEqual([])
  })

  it.each([
    ['DELETE /v1/identity', 'deleteIdentity'],
    ['POST /v1/token/revoke', 'revokeAccessTokens'],
  ])('finishes a %s that failed at Azure', async (request, operation) => {
    let clock = Date.now()
    await using fixture = await ServiceFixture.start({ now: () => clock })
    const { token } = (await fixture.call('POST /v1/token')).body
    const fault = fixture.emulator.faults.add({ operation, ...outage })
    expect((await fixture.call(request)).status).toBe(202)
    expect(fixture.emulator.introspect(token).state).toBe('valid')
    // Still pending, although the mapping of a deleted identity is removed already.
    expect((await fixture.call(request)).status).toBe(202)
    await fixture.call('POST /v1/token')
    fixture.emulator.faults.remove(fault)
    clock += 60_000
    await fixture.service.identities.reaper.run()
    expect(fixture.emulator.introspect(token).state).not.toBe('valid')
    expect(await fixture.readJournal()).toEqual([])
    const next = (await fixture.call('POST /v1/token')).body
    expect(fixture.emulator.introspect(next.token).state).toBe('valid')
  })
})

describe('revocation', () => {
  it('applies to this instance immediately and to others within the bound', async () => {
    let clock = Date.now()
    await using fixture = await ServiceFixture.start({ now: () => clock })
    const other = await fixture.addInstance()
    const call = async (service = fixture.service) => (await fixture.call('POST /v1/token', { service })).body
    const first = await call()
    const ofOther = await call(other)
    expect((await fixture.call('POST /v1/token/revoke')).status).toBe(204)
    expect(fixture.emulator.introspect(first.token).state).toBe('revoked')
    expect((await call()).token).not.toBe(first.token)
    expect((await call(other)).token).toBe(ofOther.token)
    clock += 300_000
    const renewed = (await call(other)).token
    expect(renewed).not.toBe(ofOther.token)
    expect(fixture.emulator.introspect(renewed).state).toBe('valid')
    expect((await fixture.call('GET /v1/identity')).body).toMatchObject({ tokensValidFrom: expect.any(String) })
  })

  it('includes a token that another instance receives in the meantime', async () => {
    let clock = Date.now()
    await using fixture = await ServiceFixture.start({ now: () => clock, env })
    const other = await fixture.addInstance()
    await fixture.call('POST /v1/token')
    const proceed = await fixture.hold('revokeAccessTokens', 'POST /v1/token/revoke')
    const concurrent = (await fixture.call('POST /v1/token', { service: other })).body.token
    expect(fixture.emulator.introspect(concurrent).state).toBe('valid')
    expect((await proceed()).status).toBe(204)
    expect(fixture.emulator.introspect(concurrent).state).toBe('revoked')
    clock += 300_000
    const later = (await fixture.call('POST /v1/token', { service: other })).body.token
    expect(later).not.toBe(concurrent)
  })

  it('succeeds without an identity, as a deletion does', async () => {
    await using fixture = await ServiceFixture.start()
    expect((await fixture.call('POST /v1/token/revoke')).status).toBe(204)
    expect((await fixture.call('DELETE /v1/identity')).status).toBe(204)
    expect((await fixture.call('GET /v1/identity')).body.code).toBe('identity-unknown')
  })
})

describe('a deletion during a first login at another instance', () => {
  it.each(['DELETE /v1/identity', 'DELETE /v1/users/'])('leaves no identity: %s', async (request) => {
    await using fixture = await ServiceFixture.start({ env })
    const other = await fixture.addInstance()
    const proceed = await fixture.hold('createIdentity', 'POST /v1/token', { service: other })
    const { userKey } = (await fixture.readJournal())[0]!
    const { status } = request.endsWith('/')
      ? await fixture.call(`${request}${String(userKey)}`, { claims: { sub: 'admin', roles: ['admin'] } })
      : await fixture.call(request)
    expect(status).toBe(202)
    expect((await proceed()).status).toBe(200)
    await expect.poll(() => fixture.emulator.identities()).toEqual([])
    await expect.poll(() => fixture.readJournal()).toEqual([])
    expect((await fixture.call('GET /v1/identity')).status).toBe(404)
    // The instance that created it does not return its token again.
    const next = (await fixture.call('POST /v1/token', { service: other })).body
    expect(fixture.emulator.introspect(next.token).state).toBe('valid')
  })

  it('is finished by the reaper if that instance is killed', async () => {
    let clock = Date.now()
    await using store = await StoreProxy.start(storeConnectionString())
    await using fixture = await ServiceFixture.start({ now: () => clock, env })
    const killed = await fixture.addInstance({ IDENTITY_STORE_CONNECTION_STRING: store.connectionString })
    // Loses the store as soon as the mapping is written, like a killed process.
    store.state = () => (store.requests.includes('POST user') && store.requests.at(-1) !== 'POST user' ? 'cut' : 'up')
    const proceed = await fixture.hold('createIdentity', 'POST /v1/token', { service: killed })
    expect((await fixture.call('DELETE /v1/identity')).status).toBe(202)
    expect((await proceed()).status).toBe(200)
    expect(fixture.emulator.identities()).toHaveLength(1)
    // Longer than the grace period with that deadline.
    clock += 180_000
    await fixture.service.identities.reaper.run()
    expect(fixture.emulator.identities()).toEqual([])
    expect(await fixture.readJournal()).toEqual([])
  })
})

it('deletes an identity here and at Azure; the next token creates another one', async () => {
  await using fixture = await ServiceFixture.start()
  const first = (await fixture.call('POST /v1/token')).body
  expect((await fixture.call('DELETE /v1/identity')).status).toBe(204)
  expect(fixture.emulator.identities()).toHaveLength(0)
  expect((await fixture.call('GET /v1/identity')).status).toBe(404)
  expect((await fixture.call('DELETE /v1/identity')).status).toBe(204)
  const second = (await fixture.call('POST /v1/token')).body
  expect(second.communicationUserId).not.toBe(first.communicationUserId)
})

it('replaces an identity that was deleted elsewhere', async () => {
  await using fixture = await ServiceFixture.start()
  const first = (await fixture.call('POST /v1/token')).body
  await fixture.emulator.reset()
  const second = await fixture.call('POST /v1/token', { body: { refresh: true } })
  expect(second.status).toBe(200)
  expect(second.body.communicationUserId).not.toBe(first.communicationUserId)
  expect(fixture.emulator.identities()).toHaveLength(1)
})

it('needs few store operations for a token', async () => {
  await using store = await StoreProxy.start(storeConnectionString())
  await using fixture = await ServiceFixture.start({ store })
  const service = await fixture.addInstance()
  // Creates the table.
  await fixture.call('POST /v1/token', { claims: { sub: 'bob' } })
  await expect.poll(() => store.requests.at(-1)).toBe('DELETE journal')
  const count = async (options: CallOptions) => {
    store.requests.length = 0
    expect((await fixture.call('POST /v1/token', options)).status).toBe(200)
    return [...store.requests]
  }
  const first = await count({})
  expect(first.slice(0, 3)).toEqual(['GET user', 'PUT journal', 'POST user'])
  // The entry is removed in the background, after the response.
  await expect.poll(() => store.requests).toEqual([...first.slice(0, 3), 'DELETE journal'])
  expect(await count({})).toEqual([])
  expect(await count({ body: { refresh: true } })).toEqual([])
  expect(await count({ service })).toEqual(['GET user'])
  expect(await count({ service })).toEqual([])
})

import { expect, it } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

async function startFixture() {
  const fixture = await ServiceFixture.start()
  const resource = fixture.emulator.resources[0]!
  const service = await fixture.addInstance({
    COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: resource.secondaryConnectionString,
  })
  const call = async (body = {}, token?: string) =>
    (await fixture.call('POST /v1/token', { service, body, ...(token && { token }) })).body
  return { fixture, resource, service, call, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() }
}

it('continues with the other key after one is regenerated, and drops the tokens of the first', async () => {
  await using parts = await startFixture()
  const { fixture, resource, call } = parts
  const first = await call()
  resource.regenerateKey('primary')
  expect(fixture.emulator.introspect(first.token).state).toBe('revoked')
  const bobs = await call({}, await fixture.issuer.sign({ sub: 'bob' }))
  expect(fixture.emulator.introspect(bobs.token).state).toBe('valid')
  const second = await call()
  expect(second.communicationUserId).toBe(first.communicationUserId)
  expect(fixture.emulator.introspect(second.token).state).toBe('valid')
})

it('notices a regenerated key in the health check, before a request needs it', async () => {
  await using parts = await startFixture()
  const { fixture, resource, service, call } = parts
  const first = await call()
  resource.regenerateKey('primary')
  expect((await call()).token).toBe(first.token)
  await service.health.check()
  expect(fixture.emulator.introspect((await call()).token).state).toBe('valid')
  expect(service.health.state.communication).toBe('ok')
})

it('is not ready when all keys are rejected, and returns no token of them', async () => {
  await using parts = await startFixture()
  const { resource, service, call } = parts
  await call()
  resource.regenerateKey('primary')
  resource.regenerateKey('secondary')
  await service.health.check()
  expect(await call()).toMatchObject({
    code: 'communication-unavailable',
    detail: expect.stringContaining('credentials'),
  })
  expect(service.health.state).toMatchObject({ status: 'not-ready', communication: 'down' })
})

it('keeps all tokens valid in the documented rotation: swap keys, wait for the maximum lifetime, regenerate', async () => {
  await using parts = await startFixture()
  const { fixture, resource, call } = parts
  const before = await call()
  // Swaps the keys, with a restart.
  const swapped = await fixture.addInstance({
    COMMUNICATION_SERVICES_CONNECTION_STRING: resource.secondaryConnectionString,
  })
  const after = (await fixture.call('POST /v1/token', { service: swapped })).body
  fixture.emulator.clock.advance(24 * 60 * 60_000)
  expect(fixture.emulator.introspect(before.token).state).toBe('expired')
  const renewed = (await fixture.call('POST /v1/token', { service: swapped, body: { refresh: true } })).body
  resource.regenerateKey('primary')
  expect(fixture.emulator.introspect(renewed.token).state).toBe('valid')
  expect(after.communicationUserId).toBe(before.communicationUserId)
})

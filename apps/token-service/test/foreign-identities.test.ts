import { describe, expect, it } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

describe('an identity of another resource', () => {
  async function startWithNewResource(env: { KNOWN?: string; REMAP?: string }) {
    const fixture = await ServiceFixture.start({ emulator: { resources: [{ name: 'other' }] } })
    const first = (await fixture.call('POST /v1/token')).body
    const { connectionString, immutableResourceId } = fixture.emulator.resources[1]!
    const service = await fixture.addInstance({
      COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
      ...(env.KNOWN && { COMMUNICATION_SERVICES_RESOURCE_ID: immutableResourceId }),
      REMAP_FOREIGN_IDENTITIES: env.REMAP ?? 'false',
    })
    return { fixture, first, service }
  }

  it.each([{ KNOWN: 'yes' }, {}])('is rejected with an explanation: %j', async (env) => {
    const { fixture, service } = await startWithNewResource(env)
    await using _ = fixture
    const { status, body } = await fixture.call('POST /v1/token', { service })
    expect(status).toBe(409)
    expect(body).toMatchObject({
      code: 'identity-foreign',
      detail: expect.stringContaining('REMAP_FOREIGN_IDENTITIES'),
    })
  })

  it('is logged when its user is deleted, because this resource cannot delete it', async () => {
    const { fixture, first, service } = await startWithNewResource({})
    await using _ = fixture
    expect((await fixture.call('DELETE /v1/identity', { service })).status).toBe(204)
    expect(fixture.lines({ communicationUserId: first.communicationUserId })).toHaveLength(1)
  })

  it.each([{ KNOWN: 'yes', REMAP: 'true' }, { REMAP: 'true' }])(
    'is replaced if a setting allows it: %j',
    async (env) => {
      const { fixture, first, service } = await startWithNewResource(env)
      await using _ = fixture
      const { status, body } = await fixture.call('POST /v1/token', { service })
      expect(status).toBe(200)
      expect(body.communicationUserId).not.toBe(first.communicationUserId)
      expect((await fixture.call('GET /v1/identity', { service })).body.communicationUserId).toBe(
        body.communicationUserId,
      )
    },
  )
})

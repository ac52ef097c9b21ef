import { expect, test } from 'vitest'
import { sdk, ServiceFixture } from './service-fixture.ts'

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

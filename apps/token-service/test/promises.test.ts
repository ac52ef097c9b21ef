import { storeConnectionString } from '@acs-kit/test-support/store-connection'
import { StoreProxy } from '@acs-kit/test-support/store-proxy'
import { describe, expect, it } from 'vitest'
import { outage, ServiceFixture } from './service-fixture.ts'

describe('a service that cannot record promises in the store', () => {
  const requests = [
    'POST /v1/token/revoke',
    'DELETE /v1/identity',
    'POST /v1/users/{}/token/revoke',
    'DELETE /v1/users/{}',
  ]

  it.each(requests)('rejects %s with 503 and changes nothing, even while Azure is down', async (request) => {
    await using store = await StoreProxy.start(storeConnectionString())
    await using fixture = await ServiceFixture.start({ store })
    const { token, communicationUserId } = (await fixture.call('POST /v1/token')).body
    const [row] = await Array.fromAsync(
      fixture.openTable().listEntities({ queryOptions: { filter: "PartitionKey lt 'g'" } }),
    )
    const claims = request.includes('{}') ? { sub: 'admin', roles: ['admin'] } : {}
    const call = () => fixture.call(request.replace('{}', row!.rowKey!), { claims })
    fixture.emulator.faults.add(outage)
    store.state = () => (/^(?:PUT|POST|DELETE|PATCH) journal$/.test(store.requests.at(-1)!) ? 'cut' : 'up')
    const { status, body, headers } = await call()
    expect(body).toMatchObject({ code: 'store-unavailable', retryAfter: expect.any(Number) })
    expect([status, headers['retry-after']]).toEqual([503, String(body.retryAfter)])
    expect(fixture.emulator.introspect(token).state).toBe('valid')
    expect((await fixture.call('GET /v1/identity')).body).toEqual(expect.objectContaining({ communicationUserId }))
    store.state = 'up'
    expect((await call()).status).toBe(202)
    expect(await fixture.readJournal()).toHaveLength(1)
  })

  it('rejects a first login with 503 and creates no identity', async () => {
    await using store = await StoreProxy.start(storeConnectionString())
    await using fixture = await ServiceFixture.start({ store })
    store.state = () => (store.requests.at(-1) === 'PUT journal' ? 'cut' : 'up')
    expect(await fixture.call('POST /v1/token')).toMatchObject({ status: 503, body: { code: 'store-unavailable' } })
    expect(fixture.emulator.identities()).toEqual([])
  })

  it('reports store-unavailable for a deletion and to the reaper', async () => {
    await using store = await StoreProxy.start(storeConnectionString())
    await using fixture = await ServiceFixture.start({ store })
    store.state = () => (store.requests.at(-1) === 'GET journal' ? 'cut' : 'up')
    expect(await fixture.call('DELETE /v1/identity')).toMatchObject({
      status: 503,
      body: { code: 'store-unavailable' },
    })
    await expect(fixture.service.identities.reaper.run()).rejects.toMatchObject({ code: 'store-unavailable' })
  })

  it('keeps an earlier promise when the store is back', async () => {
    let clock = Date.now()
    await using store = await StoreProxy.start(storeConnectionString())
    await using fixture = await ServiceFixture.start({ store, now: () => clock })
    await fixture.call('POST /v1/token')
    await expect.poll(() => store.requests.at(-1)).toBe('DELETE journal')
    store.requests.length = 0
    store.state = (index) => (store.requests.slice(0, index).includes('PUT journal') ? 'cut' : 'up')
    expect((await fixture.call('DELETE /v1/identity')).status).toBe(202)
    store.state = 'up'
    clock += 60_000
    await fixture.service.identities.reaper.run()
    expect(fixture.emulator.identities()).toEqual([])
    expect(await fixture.readJournal()).toEqual([])
  })
})

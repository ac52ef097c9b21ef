import { storeConnectionString } from '@acs-kit/test-support/store-connection'
import { StoreProxy, type StoreState } from '@acs-kit/test-support/store-proxy'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { outage, sdk, ServiceFixture } from './service-fixture.ts'

let clock: number
let store: StoreProxy
let fixture: ServiceFixture

beforeEach(async () => {
  clock = Date.now()
  store = await StoreProxy.start(storeConnectionString())
  fixture = await ServiceFixture.start({ store, now: () => clock })
})
afterEach(async () => {
  await fixture[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
})

/** Runs the reaper until only lost creations remain in the journal. */
async function recover(): Promise<void> {
  store.state = 'up'
  fixture.emulator.faults.clear()
  clock += 60_000
  await expect
    .poll(async () => {
      await fixture.service.identities.reaper.run()
      return (await fixture.readJournal()).filter(({ kind }) => kind !== 'lost')
    })
    .toEqual([])
}

async function logIn(): Promise<{ token: string; communicationUserId: string }> {
  const { status, body } = await fixture.call('POST /v1/token')
  expect(status).toBe(200)
  await expect.poll(() => fixture.readJournal()).toEqual([])
  return body
}

/** Starts a first login at an instance that loses the store right after the insert, optionally with a deletion before. */
async function killFirstLogin({ isCancelled }: { isCancelled: boolean }): Promise<void> {
  await using link = await StoreProxy.start(storeConnectionString())
  const killed = await fixture.addInstance({ IDENTITY_STORE_CONNECTION_STRING: link.connectionString })
  link.state = (index) => (link.requests.slice(0, index).includes('POST user') ? 'cut' : 'up')
  const proceed = await fixture.hold('createIdentity', 'POST /v1/token', { service: killed })
  if (isCancelled) expect((await fixture.call('DELETE /v1/identity')).status).toBe(202)
  expect((await proceed()).status).toBe(200)
}

/** Operations that leave an entry in the journal. Each returns an assertion for when it is finished. */
const unfinished: Readonly<Record<string, { begin: () => Promise<() => Promise<void>>; azureFault?: object }>> = {
  'a deletion that failed at Azure': {
    async begin() {
      const { token } = await logIn()
      fixture.emulator.faults.add(outage)
      expect((await fixture.call('DELETE /v1/identity')).status).toBe(202)
      fixture.emulator.faults.clear()
      return async () => {
        expect(fixture.emulator.introspect(token).state).toBe('deleted')
        expect(fixture.emulator.identities()).toEqual([])
      }
    },
  },
  'a revocation that failed at Azure': {
    async begin() {
      const { token } = await logIn()
      fixture.emulator.faults.add(outage)
      expect((await fixture.call('POST /v1/token/revoke')).status).toBe(202)
      fixture.emulator.faults.clear()
      return async () => expect(fixture.emulator.introspect(token).state).toBe('revoked')
    },
  },
  'a first login whose instance was killed': {
    async begin() {
      await killFirstLogin({ isCancelled: false })
      return async () => {
        const [identity] = fixture.emulator.identities()
        const { body } = await fixture.call('POST /v1/token')
        expect(body.communicationUserId).toBe(identity!.communicationUserId)
        expect(fixture.emulator.identities()).toHaveLength(1)
      }
    },
  },
  'a deletion during a first login whose instance was killed': {
    async begin() {
      await killFirstLogin({ isCancelled: true })
      return async () => {
        expect(fixture.emulator.identities()).toEqual([])
        expect((await fixture.call('DELETE /v1/identity')).status).toBe(204)
      }
    },
  },
  'a first login that failed at the store': {
    async begin() {
      store.state = (index) => (store.requests[index] === 'POST user' ? 'cut' : 'up')
      expect((await fixture.call('POST /v1/token')).status).toBe(503)
      expect(fixture.emulator.identities()).toHaveLength(1)
      return async () => expect(fixture.emulator.identities()).toEqual([])
    },
  },
}

const storeFaults: Readonly<Record<string, (faulty: number) => (index: number) => StoreState>> = {
  'loses a response': (faulty) => (index) => (index === faulty ? 'cut-after' : 'up'),
  'fails after an operation': (faulty) => (index) => (index > faulty ? 'cut' : index === faulty ? 'cut-after' : 'up'),
}

// Independent of the SDK; each revocation with the administration SDK takes a second.
describe.runIf(sdk === 'identity').each(Object.entries(unfinished))('%s', (_name, { begin }) => {
  it.each(Object.entries(storeFaults))(
    'is finished even if the store %s, at each operation of the reaper',
    async (_fault, stateFor) => {
      for (let faulty = 0; ; faulty++) {
        const expectDone = await begin()
        clock += 60_000
        store.requests.length = 0
        store.state = stateFor(faulty)
        await fixture.service.identities.reaper.run().catch(() => {})
        const wasHit = store.requests.length > faulty
        await recover()
        await expectDone()
        expect(await fixture.readJournal()).toEqual([])
        if (!wasHit) break
        // Leaves no identity for the next round.
        await fixture.call('DELETE /v1/identity')
        await recover()
      }
    },
  )

  it('is finished even if Azure is down while the reaper runs', async () => {
    const expectDone = await begin()
    clock += 60_000
    fixture.emulator.faults.add(outage)
    await fixture.service.identities.reaper.run()
    await recover()
    await expectDone()
    expect(await fixture.readJournal()).toEqual([])
  })
})

describe('a request with response 503', () => {
  it.each([
    ['POST /v1/token/revoke', 1],
    ['DELETE /v1/identity', 1],
    ['POST /v1/token', 0],
  ])('changes nothing, even if only the response of the store was lost: %s', async (request, identities) => {
    const before = identities > 0 ? await logIn() : undefined
    store.requests.length = 0
    let isDown = false
    store.state = (index) => {
      if (isDown) return 'cut'
      isDown = store.requests[index] === 'PUT journal'
      return isDown ? 'cut-after' : 'up'
    }
    const { status, body } = await fixture.call(request)
    expect([status, body.code]).toEqual([503, 'store-unavailable'])
    expect(await fixture.readJournal()).toHaveLength(1)
    await recover()
    expect(await fixture.readJournal()).toEqual([])
    expect(fixture.emulator.identities()).toHaveLength(identities)
    if (before) expect(fixture.emulator.introspect(before.token).state).toBe('valid')
  })
})

it('leaves an entry that changes during a run to the next run', async () => {
  await killFirstLogin({ isCancelled: false })
  const [entry] = await fixture.readJournal()
  clock += 60_000
  store.requests.length = 0
  store.state = async (index): Promise<StoreState> => {
    // The entry changes before the reaper reads it again.
    if (index === 1) await fixture.openTable().updateEntity({ ...entry, kind: 'delete' } as never, 'Merge')
    return 'up'
  }
  await fixture.service.identities.reaper.run()
  expect(await fixture.readJournal()).toEqual([expect.objectContaining({ rowKey: entry!['rowKey'], kind: 'delete' })])
  await recover()
  expect(fixture.emulator.identities()).toEqual([])
})

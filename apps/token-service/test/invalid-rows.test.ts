import { toRowKeys } from '@acs-kit/service-settings'
import { expect, it } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

const text = 'not a date'

interface User {
  readonly userKey: string
  readonly subject: string
}

it('names the row of a user that is invalid, and serves other users', async () => {
  await using fixture = await ServiceFixture.start()
  for (const sub of ['alice', 'bob']) await fixture.call('POST /v1/token', { claims: { sub } })
  const { users } = (await fixture.call('GET /v1/users', { claims: { roles: ['admin'] } })).body
  const [alice, bob] = ['alice', 'bob'].map((name) => users.find((user: User) => user.subject === name)) as [User, User]
  const { rowKey } = toRowKeys(alice.userKey)
  await fixture.openTable().updateEntity({ ...toRowKeys(alice.userKey), createdOn: text }, 'Merge')

  const remedy =
    'The stored identity has an invalid createdOn. ' +
    `An administrator needs to correct or delete the row ${rowKey} of the mapping table.`
  for (const request of ['GET /v1/identity', 'DELETE /v1/identity']) {
    const { status, body } = await fixture.call(request)
    expect([status, body.code, body.detail]).toEqual([500, 'internal-error', remedy])
  }
  expect(fixture.lines({ msg: 'internal error' })[0]).toMatchObject({ err: { message: remedy } })
  // More requests than the failures of the store that open the circuit.
  const lists = await Promise.all(
    Array.from({ length: 10 }, () => fixture.call('GET /v1/users', { claims: { roles: ['admin'] } })),
  )
  for (const list of lists) expect(list).toMatchObject({ status: 200, body: { users: [bob] } })
  expect(fixture.lines({ row: rowKey })).not.toEqual([])
  expect((await fixture.call('GET /v1/identity', { claims: { sub: 'bob' } })).status).toBe(200)
})

it('names an entry of the journal that is invalid, and finishes the others', async () => {
  let clock = Date.now()
  await using fixture = await ServiceFixture.start({ now: () => clock })
  const entry = { partitionKey: 'journal', kind: 'create', userKey: 'someone', writtenOn: new Date(clock) }
  const { writtenOn: _, ...undated } = entry
  const table = fixture.openTable()
  await table.createTable()
  const invalid = [
    { ...undated, rowKey: '0' },
    { ...entry, rowKey: '1', writtenOn: text },
    { ...entry, rowKey: '2', kind: 'other' },
  ]
  for (const row of [...invalid, { ...entry, rowKey: '3' }]) await table.createEntity(row)
  clock += 60_000
  await fixture.service.identities.reaper.run()
  expect(await fixture.readJournal()).toMatchObject([...invalid, { rowKey: '3', kind: 'lost' }])
  const lines = fixture.lines({ msg: 'skipped an invalid journal entry: correct or delete its row' })
  expect(lines.map(({ journalEntry, column }) => [journalEntry, column])).toEqual([
    ['0', 'writtenOn'],
    ['1', 'writtenOn'],
    ['2', 'kind'],
  ])
})

import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { beforeEach, describe, expect, it } from 'vitest'
import { startEmulator } from '../src/index.ts'
import { clientsFor, quick, sendToArm, subscription, type ArmRequestOptions } from './arm-fixture.ts'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()
const group = `/subscriptions/${subscription}/resourceGroups/group`
const account = `${group}/providers/Microsoft.Storage/storageAccounts/mappings`
const service = `${group}/providers/Microsoft.Communication/communicationServices/calls`
const table = `${account}/tableServices/default/tables/identities`
const lockFor = (scope: string) => `${scope}/providers/Microsoft.Authorization/locks/keep`
const roleFor = (scope: string) => `${scope}/providers/Microsoft.Authorization/roleAssignments/${subscription}`
const send = (method: string, path: string, options?: ArmRequestOptions) =>
  sendToArm(fixture.emulator, method, `${path}?api-version=2020-05-01`, options)
const lock = (scope: string, level = 'CanNotDelete') =>
  send('PUT', lockFor(scope), { body: { properties: { level, notes: 'users depend on it' } } })
const locked = (scope: string, lockedScope: string, operation = 'delete') => ({
  statusCode: 409,
  code: 'ScopeLocked',
  message: `The scope '${scope}' cannot perform ${operation} operation because following scope(s) are locked: '${lockedScope}'. Please remove the lock and try again.`,
})

let clients: ReturnType<typeof clientsFor>

beforeEach(async () => {
  clients = clientsFor(fixture.emulator)
  const { groups, storage, communication } = clients
  await groups.resourceGroups.createOrUpdate('group', { location: 'westeurope' })
  await communication.communicationServices.beginCreateOrUpdateAndWait(
    'group',
    'calls',
    { location: 'global', dataLocation: 'Europe' },
    quick,
  )
  const sku = { name: 'Standard_LRS' }
  await storage.storageAccounts.beginCreateAndWait('group', 'mappings', {
    location: 'westeurope',
    kind: 'StorageV2',
    sku,
  })
  await storage.table.create('group', 'mappings', 'identities')
})

describe("a lock, with Azure's clients", () => {
  it('prevents deleting its resource until it is removed', async () => {
    const { resources } = clients.groups
    const properties = { level: 'CanNotDelete', notes: 'users depend on it' }
    const created = await resources.beginCreateOrUpdateByIdAndWait(lockFor(service).slice(1), '2020-05-01', {
      properties,
    })
    expect(created).toMatchObject({ id: lockFor(service), type: 'Microsoft.Authorization/locks', properties })
    const { communicationServices } = clients.communication
    await expect(communicationServices.beginDeleteAndWait('group', 'calls', quick)).rejects.toMatchObject(
      locked(service, service),
    )
    expect(await communicationServices.listKeys('group', 'calls')).toHaveProperty('primaryKey')
    await communicationServices.beginCreateOrUpdateAndWait(
      'group',
      'calls',
      { location: 'global', dataLocation: 'Europe', tags: { team: 'a' } },
      quick,
    )
    await resources.beginDeleteByIdAndWait(lockFor(service).slice(1), '2020-05-01')
    await communicationServices.beginDeleteAndWait('group', 'calls', quick)
  })

  it('prevents deleting the group of its resource, and then deletes nothing of it', async () => {
    await lock(service)
    const before = fixture.emulator.resourceManager.resources()
    await expect(clients.groups.resourceGroups.beginDeleteAndWait('group', quick)).rejects.toMatchObject(
      locked(group, service),
    )
    expect(fixture.emulator.resourceManager.resources()).toEqual(before)
  })

  it('applies to everything below its scope', async () => {
    await lock(group)
    await expect(clients.storage.table.delete('group', 'mappings', 'identities')).rejects.toMatchObject(
      locked(table, group),
    )
    await clients.storage.table.create('group', 'mappings', 'more')
  })
})

describe('a lock', () => {
  it.each([
    ['an account', account],
    ['a table', table],
  ])('prevents deleting the role assignments on %s', async (_, scope) => {
    const properties = { roleDefinitionId: '/x', principalId: subscription }
    await send('PUT', roleFor(scope), { body: { properties } })
    await lock(account)
    const { status, json } = await send('DELETE', roleFor(scope))
    expect({ statusCode: status, ...json.error }).toEqual(locked(roleFor(scope), account))
    await send('DELETE', lockFor(account))
    expect((await send('DELETE', roleFor(scope))).status).toBe(200)
  })

  it('is created, updated, listed and deleted like other resources', async () => {
    expect((await lock(account)).status).toBe(201)
    expect((await lock(account)).status).toBe(200)
    await lock(service)
    const listed = await send('GET', `${group}/providers/Microsoft.Authorization/locks`)
    expect((listed.json.value as { id: string }[]).map(({ id }) => id)).toEqual([lockFor(account), lockFor(service)])
    const deleted = [await send('DELETE', lockFor(account)), await send('DELETE', lockFor(account))]
    expect(deleted.map(({ status }) => status)).toEqual([200, 204])
    const missing = await send('GET', lockFor(account))
    expect([missing.status, missing.json.error.code]).toEqual([404, 'LockNotFound'])
  })

  it('can be removed although a lock above it remains', async () => {
    await lock(account)
    await lock(group, 'ReadOnly')
    expect((await send('DELETE', lockFor(account))).status).toBe(200)
  })

  it('prevents every change and action if it is read-only', async () => {
    await lock(account, 'ReadOnly')
    const body = { location: 'westeurope', kind: 'StorageV2', sku: { name: 'Standard_LRS' } }
    const attempts = [
      ['PUT', account, account],
      ['PATCH', account, account],
      ['PUT', roleFor(account), roleFor(account)],
      ['POST', `${account}/listKeys`, account],
    ] as const
    for (const [method, path, scope] of attempts) {
      const { status, json } = await send(method, path, { body })
      expect({ statusCode: status, ...json.error }, `${method} ${path}`).toEqual(locked(scope, account, 'write'))
    }
    expect((await send('GET', account)).status).toBe(200)
  })

  it('without a valid level or name, or on a missing resource, is rejected', async () => {
    const codes = [
      await lock(account, 'Some'),
      await send('PUT', `${lockFor(account)}%26`, { body: { properties: { level: 'ReadOnly' } } }),
      await lock(account.replace('mappings', 'none')),
    ].map(({ status, json }) => [status, json.error.code])
    expect(codes).toEqual([
      [400, 'InvalidRequestContent'],
      [400, 'InvalidResourceName'],
      [404, 'ResourceNotFound'],
    ])
  })

  it('does not prevent a reset', async () => {
    await lock(service)
    await fixture.emulator.reset()
    expect(fixture.emulator.resourceManager.resources()).toEqual([])
  })

  it('survives a restart', async () => {
    const dataFolder = temporaryFolder()
    const before = await startEmulator({ dataFolder })
    const path = `${group}?api-version=2024-03-01`
    await sendToArm(before, 'PUT', path, { body: { location: 'westeurope' } })
    await sendToArm(before, 'PUT', `${lockFor(group)}?api-version=2020-05-01`, {
      body: { properties: { level: 'CanNotDelete' } },
    })
    await before[Symbol.asyncDispose]()
    await using after = await startEmulator({ dataFolder })
    expect((await sendToArm(after, 'DELETE', path)).json.error.code).toBe('ScopeLocked')
  })
})

import { Azurite } from '@acs-kit/test-support/azurite'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { startEmulator, type Emulator } from '../src/index.ts'
import { clientsFor } from './arm-fixture.ts'

const open = new AsyncDisposableStack()
const keys = Azurite.accountKeys
let emulator: Emulator
let tables: Azurite
let blobs: Azurite
let clients: ReturnType<typeof clientsFor>

beforeAll(async () => {
  emulator = open.use(await startEmulator())
  const options = { tls: emulator.tlsFiles, oauth: true }
  tables = open.use(await Azurite.start(options))
  blobs = open.use(await Azurite.start({ ...options, service: 'blob' }))
  clients = clientsFor(emulator)
})
afterAll(() => open.disposeAsync())

beforeEach(async () => {
  emulator.resourceManager.storage = { tableEndpoint: tables.endpoint, blobEndpoint: blobs.endpoint, keys }
  await clients.groups.resourceGroups.createOrUpdate('group', { location: 'westeurope' })
  for (const account of ['one', 'two']) {
    await clients.storage.storageAccounts.beginCreateAndWait('group', `account${account}`, {
      location: 'westeurope',
      kind: 'StorageV2',
      sku: { name: 'Standard_LRS' },
    })
  }
  return () => emulator.resourceManager.clear()
})

/** Sends a request to a service with a token of a managed identity, as a site does. */
async function request(method: string, url: string, body?: string): Promise<Response> {
  const { endpoint, header } = emulator.entra.managedIdentity
  const query = 'resource=https://storage.azure.com&api-version=2019-08-01'
  const response = await fetch(`${endpoint}?${query}`, { headers: { 'x-identity-header': header } })
  const { access_token: token } = (await response.json()) as { access_token: string }
  const headers = {
    Authorization: `Bearer ${token}`,
    'x-ms-version': '2021-12-02',
    ...(method === 'PUT' ? { 'x-ms-blob-type': 'BlockBlob' } : { Accept: 'application/json' }),
  }
  return fetch(url, { method, headers, ...(body !== undefined && { body }) })
}

async function listContainers(): Promise<string[]> {
  const list = await (await request('GET', `${blobs.endpoint}/?comp=list`)).text()
  return [...list.matchAll(/<Name>(.*?)<\/Name>/g)].map(([, name]) => name!)
}
async function listTables(): Promise<string[]> {
  const { value } = (await (await request('GET', `${tables.endpoint}/Tables`)).json()) as {
    value: { TableName: string }[]
  }
  return value.map(({ TableName }) => TableName)
}

it('returns the endpoints and keys of the services with each account', async () => {
  const { storageAccounts } = clients.storage
  const { primaryEndpoints } = await storageAccounts.getProperties('group', 'accountone')
  expect(primaryEndpoints).toMatchObject({
    blob: `${blobs.endpoint}/`,
    table: `${tables.endpoint}/`,
    queue: 'https://accountone.queue.storage.localhost/',
  })
  const listed = await storageAccounts.listKeys('group', 'accountone')
  expect(listed.keys!.map(({ value }) => value)).toEqual(keys)
  await expect(storageAccounts.regenerateKey('group', 'accountone', { keyName: 'key1' })).rejects.toMatchObject({
    statusCode: 409,
    code: 'OperationNotAllowed',
  })
})

it('creates and deletes containers with their blobs, and tables', async () => {
  const { blobContainers, table } = clients.storage
  // Writing a resource again is not an error.
  for (let count = 0; count < 2; count++) {
    await blobContainers.create('group', 'accountone', 'packages', {})
    await table.create('group', 'accountone', 'identities')
  }
  expect((await request('PUT', `${blobs.endpoint}/packages/a.zip`, 'content')).status).toBe(201)
  expect(await (await request('GET', `${blobs.endpoint}/packages/a.zip`)).text()).toBe('content')
  expect([await listContainers(), await listTables()]).toEqual([['packages'], ['identities']])
  await blobContainers.delete('group', 'accountone', 'packages')
  await table.delete('group', 'accountone', 'identities')
  expect([await listContainers(), await listTables()]).toEqual([[], []])
  expect((await request('GET', `${blobs.endpoint}/packages/a.zip`)).status).toBe(404)
})

it.each<[string, () => Promise<unknown>]>([
  ['account', () => clients.storage.storageAccounts.delete('group', 'accountone')],
  ['group', () => clients.groups.resourceGroups.beginDeleteAndWait('group')],
])('leaves nothing in the services when the %s is deleted', async (_name, remove) => {
  await clients.storage.blobContainers.create('group', 'accountone', 'packages', {})
  await clients.storage.table.create('group', 'accountone', 'identities')
  expect([await listContainers(), await listTables()]).toEqual([['packages'], ['identities']])
  await remove()
  expect([await listContainers(), await listTables()]).toEqual([[], []])
})

it('keeps what accounts share until the last of them deletes it', async () => {
  const { blobContainers, storageAccounts } = clients.storage
  for (const account of ['accountone', 'accounttwo']) await blobContainers.create('group', account, 'packages', {})
  await storageAccounts.delete('group', 'accountone')
  expect(await listContainers()).toHaveLength(1)
  await blobContainers.delete('group', 'accounttwo', 'packages')
  expect(await listContainers()).toEqual([])
})

it('creates nothing when a service fails or does not respond, and names its address', async () => {
  const { blobContainers } = clients.storage
  const create = (endpoint: string) => {
    emulator.resourceManager.storage = { blobEndpoint: endpoint, keys }
    return blobContainers.create('group', 'accountone', 'packages', {})
  }
  await expect(create('https://127.0.0.1:1/a')).rejects.toMatchObject({
    statusCode: 409,
    code: 'StorageServiceUnavailable',
    message: expect.stringContaining('PUT https://127.0.0.1:1/a/packages?restype=container failed: '),
  })
  await expect(create(`${blobs.endpoint}/x`)).rejects.toThrow(/responded with 4\d\d: /)
  await expect(blobContainers.get('group', 'accountone', 'packages')).rejects.toMatchObject({ statusCode: 404 })
})

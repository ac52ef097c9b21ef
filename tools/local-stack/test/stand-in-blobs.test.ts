import { hash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Emulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { toStruct } from '../src/stand-in-provider/struct-values.ts'
import { startProvider, urn, type Inputs, type ProviderClient } from './provider-client.ts'

const type = 'azure-native:storage:Blob'
const account = { resourceGroupName: 'group', accountName: 'packagesaccount' }
const base = { ...account, containerName: 'packages', type: 'Block' }
const open = new AsyncDisposableStack()
let emulator: Emulator
let client: ProviderClient
let container: ContainerClient

beforeAll(async () => {
  const started = open.use(await startProvider())
  emulator = started.emulator
  client = started.client
  const blobs = open.use(await Azurite.start({ service: 'blob', tls: emulator.tlsFiles, oauth: true }))
  emulator.resourceManager.storage = { blobEndpoint: blobs.endpoint, keys: Azurite.accountKeys }
  await client.create('azure-native:resources:ResourceGroup', { resourceGroupName: 'group', location: 'westeurope' })
  const kind = { kind: 'StorageV2', sku: { name: 'Standard_LRS' } }
  await client.create('azure-native:storage:StorageAccount', { ...account, location: 'westeurope', ...kind })
  await client.create('azure-native:storage:BlobContainer', { ...account, containerName: 'packages' })
  container = BlobServiceClient.fromConnectionString(blobs.connectionString).getContainerClient('packages')
})
afterAll(() => open.disposeAsync())

/** An asset in the engine's form. */
function toAsset(content: { readonly text?: string; readonly path?: string }, digest = 'x'): Inputs {
  const signature = { '4dabf18193072939515e22adb298388d': 'c44067f5952c0a294b673a41bacd8c17' }
  return { ...signature, hash: digest, ...content }
}

const create = (inputs: Inputs) => client.createWithOutputs(type, inputs)

async function read(id: string, inputs: Inputs, outputs: Inputs) {
  const request = new provider.ReadRequest()
    .setUrn(urn(type))
    .setId(id)
    .setInputs(toStruct(inputs))
    .setProperties(toStruct(outputs))
  const response = await client.read(request)
  return { id: response.getId(), inputs: response.getInputs()?.toJavaScript() }
}

async function diff(before: Inputs, after: Inputs) {
  const response = await client.diff(type, { oldInputs: before, news: after })
  return { diffs: response.getDiffsList(), replaces: response.getReplacesList() }
}

const remove = (id: string) => client.delete(type, id)

it('uploads a file with its type and metadata, and returns what azure-native returns', async () => {
  const path = join(temporaryFolder(), 'a.zip')
  writeFileSync(path, 'content')
  const inputs = { ...base, blobName: 'a.zip', contentType: 'application/zip', metadata: { team: 'a' } }
  const { id, outputs } = await create({ ...inputs, source: toAsset({ path }) })
  expect(id).toMatch(/^\/subscriptions\/.+\/storageAccounts\/packagesaccount\/.+\/containers\/packages\/blobs\/a\.zip$/)
  const blob = container.getBlobClient('a.zip')
  expect(outputs).toEqual({
    ...inputs,
    name: 'a.zip',
    url: blob.url,
    contentMd5: hash('md5', 'content', 'base64'),
    accessTier: 'Hot',
  })
  expect((await blob.downloadToBuffer()).toString()).toBe('content')
  await expect(create({ ...inputs, source: toAsset({ path }) })).rejects.toThrow(
    `cannot create already existing resource '${id}'`,
  )
})

it('updates type and metadata in place, and replaces the resource for another content or name', async () => {
  const inputs = { ...base, blobName: 'b.txt', source: toAsset({ text: 'one' }, '1') }
  const { id } = await create(inputs)
  const news = { ...inputs, contentType: 'text/plain', metadata: { team: 'b' }, accessTier: 'Cool' }
  expect(await client.update(type, id, inputs, news)).toMatchObject({
    contentType: 'text/plain',
    metadata: { team: 'b' },
    accessTier: 'Cool',
  })
  expect((await container.getBlobClient('b.txt').downloadToBuffer()).toString()).toBe('one')
  const elsewhere = { ...inputs, source: toAsset({ path: '/elsewhere' }, '1') }
  expect(await diff(inputs, elsewhere)).toEqual({ diffs: [], replaces: [] })
  expect(await diff(inputs, { ...inputs, source: toAsset({ text: 'two' }, '2') })).toEqual({
    diffs: ['source'],
    replaces: ['source'],
  })
  expect((await diff(inputs, { ...inputs, blobName: 'c.txt' })).replaces).toEqual(['blobName'])
  expect(await diff(inputs, { ...inputs, contentType: 'text/plain' })).toEqual({ diffs: ['contentType'], replaces: [] })
})

it('finds an overwritten and a deleted blob, and deletes a missing one', async () => {
  const inputs = { ...base, blobName: 'd.txt', source: toAsset({ text: 'one' }, '1') }
  const { id, outputs } = await create(inputs)
  expect(await read(id, inputs, outputs)).toEqual({ id, inputs })
  await container.getBlockBlobClient('d.txt').upload('two', 3)
  expect((await read(id, inputs, outputs)).inputs).toEqual({ ...inputs, contentMd5: hash('md5', 'two', 'base64') })
  await remove(id)
  expect(await container.getBlobClient('d.txt').exists()).toBe(false)
  expect((await read(id, inputs, outputs)).id).toBe('')
  await remove(id)
})

it.each<[string, Inputs, RegExp]>([
  ['another type', { type: 'Append' }, /does not support blobs of type Append: set the type to Block/],
  ['an archive', { source: { path: '/a' } }, /uploads only a FileAsset or StringAsset: correct the source/],
  ['a missing account', { accountName: 'missing' }, /the storage account missing does not exist/],
  ['a missing container', { containerName: 'missing' }, /Status=404 Code="ContainerNotFound"/],
])('rejects %s', async (_name, changes, reason) => {
  await expect(create({ ...base, blobName: 'e', source: toAsset({ text: '' }), ...changes })).rejects.toThrow(reason)
})

it('names the remedy if nothing serves the blobs of the account', async () => {
  const { storage } = emulator.resourceManager
  emulator.resourceManager.storage = { blobEndpoint: 'https://127.0.0.1:1/a', keys: Azurite.accountKeys }
  await expect(create({ ...base, blobName: 'f' })).rejects.toThrow(
    /^\d+ UNKNOWN: no response from https:\/\/127\.0\.0\.1:1\/a\/packages\/f \(.*\): .*, or set deployPackage to false$/,
  )
  emulator.resourceManager.storage = storage
})

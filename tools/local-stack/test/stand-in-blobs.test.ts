import { hash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob'
import grpc from '@grpc/grpc-js'
import providerRpc from '@pulumi/pulumi/proto/provider_grpc_pb.js'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import struct from 'google-protobuf/google/protobuf/struct_pb.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startStandInProvider } from '../src/stand-in-provider/stand-in-provider.ts'

type Inputs = Record<string, struct.JavaScriptValue>

const type = 'azure-native:storage:Blob'
const urn = `urn:pulumi:local::acs-kit::${type}::name`
const account = { resourceGroupName: 'group', accountName: 'packagesaccount' }
const base = { ...account, containerName: 'packages', type: 'Block' }
const open = new AsyncDisposableStack()
let emulator: Emulator
let client: InstanceType<typeof providerRpc.ResourceProviderClient>
let container: ContainerClient

beforeAll(async () => {
  emulator = open.use(await startEmulator())
  const blobs = open.use(await Azurite.start({ service: 'blob', tls: emulator.tlsFiles, oauth: true }))
  emulator.resourceManager.storage = { blobEndpoint: blobs.endpoint, keys: Azurite.accountKeys }
  const { port } = open.use(await startStandInProvider(emulator.resourceManager.servicePrincipal))
  client = new providerRpc.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
  open.defer(() => client.close())
  await promisify(client.configure.bind(client))(new provider.ConfigureRequest().setArgs(new struct.Struct()))
  await create({ resourceGroupName: 'group', location: 'westeurope' }, 'azure-native:resources:ResourceGroup')
  const kind = { kind: 'StorageV2', sku: { name: 'Standard_LRS' } }
  await create({ ...account, location: 'westeurope', ...kind }, 'azure-native:storage:StorageAccount')
  await create({ ...account, containerName: 'packages' }, 'azure-native:storage:BlobContainer')
  container = BlobServiceClient.fromConnectionString(blobs.connectionString).getContainerClient('packages')
})
afterAll(() => open.disposeAsync())

/** An asset in the engine's form. */
function toAsset(content: { readonly text?: string; readonly path?: string }, digest = 'x'): Inputs {
  const signature = { '4dabf18193072939515e22adb298388d': 'c44067f5952c0a294b673a41bacd8c17' }
  return { ...signature, hash: digest, ...content }
}

async function create(inputs: Inputs, resourceType = type): Promise<{ id: string; outputs: Inputs }> {
  const request = new provider.CreateRequest()
    .setUrn(urn.replace(type, resourceType))
    .setProperties(struct.Struct.fromJavaScript(inputs))
  const response = (await promisify(client.create.bind(client))(request)) as provider.CreateResponse
  return { id: response.getId(), outputs: response.getProperties()!.toJavaScript() }
}

async function read(id: string, inputs: Inputs, outputs: Inputs) {
  const request = new provider.ReadRequest()
    .setUrn(urn)
    .setId(id)
    .setInputs(struct.Struct.fromJavaScript(inputs))
    .setProperties(struct.Struct.fromJavaScript(outputs))
  const response = (await promisify(client.read.bind(client))(request)) as provider.ReadResponse
  return { id: response.getId(), inputs: response.getInputs()?.toJavaScript() }
}

async function diff(before: Inputs, after: Inputs) {
  const request = new provider.DiffRequest()
    .setUrn(urn)
    .setOldInputs(struct.Struct.fromJavaScript(before))
    .setNews(struct.Struct.fromJavaScript(after))
  const response = (await promisify(client.diff.bind(client))(request)) as provider.DiffResponse
  return { diffs: response.getDiffsList(), replaces: response.getReplacesList() }
}

const remove = (id: string) => promisify(client.delete.bind(client))(new provider.DeleteRequest().setUrn(urn).setId(id))

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
  const { id, outputs } = await create(inputs)
  const news = { ...inputs, contentType: 'text/plain', metadata: { team: 'b' }, accessTier: 'Cool' }
  const request = new provider.UpdateRequest()
    .setUrn(urn)
    .setId(id)
    .setOlds(struct.Struct.fromJavaScript(outputs))
    .setNews(struct.Struct.fromJavaScript(news))
  const response = (await promisify(client.update.bind(client))(request)) as provider.UpdateResponse
  expect(response.getProperties()!.toJavaScript()).toMatchObject({
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

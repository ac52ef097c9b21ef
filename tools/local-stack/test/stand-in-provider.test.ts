import { promisify } from 'node:util'
import grpc from '@grpc/grpc-js'
import providerRpc from '@pulumi/pulumi/proto/provider_grpc_pb.js'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import struct from 'google-protobuf/google/protobuf/struct_pb.js'
import { startEmulator } from '@acs-kit/communication-emulator'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startStandInProvider } from '../src/stand-in-provider/stand-in-provider.ts'

const open = new AsyncDisposableStack()
let client: InstanceType<typeof providerRpc.ResourceProviderClient>

beforeAll(async () => {
  const emulator = open.use(await startEmulator())
  const { port } = open.use(await startStandInProvider(emulator.resourceManager.servicePrincipal))
  client = new providerRpc.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
  open.defer(() => client.close())
})
afterAll(() => open.disposeAsync())

const urn = (type: string) => `urn:pulumi:local::acs-kit::${type}::name`
const configure = (values: Record<string, struct.JavaScriptValue>) =>
  promisify(client.configure.bind(client))(
    new provider.ConfigureRequest().setArgs(struct.Struct.fromJavaScript(values)),
  )

async function create(type: string, inputs: Record<string, struct.JavaScriptValue>): Promise<string> {
  const request = new provider.CreateRequest().setUrn(urn(type)).setProperties(struct.Struct.fromJavaScript(inputs))
  const response = (await promisify(client.create.bind(client))(request)) as provider.CreateResponse
  return response.getId()
}

async function read(request: provider.ReadRequest): Promise<provider.ReadResponse> {
  return (await promisify(client.read.bind(client))(request)) as provider.ReadResponse
}

it('names what it was not told', async () => {
  await expect(configure({ metadataHost: '', tenantId: '' })).rejects.toThrow(
    'the stand-in provider needs azure-native:metadataHost, azure-native:tenantId',
  )
})

it('refuses types that it does not know, and names the file to extend', async () => {
  await configure({})
  const check = new provider.CheckRequest().setUrn(urn('azure-native:keyvault:Vault'))
  const expected = 'azure-native:keyvault:Vault: add it to tools/local-stack/src/stand-in-provider/resource-table.ts'
  await expect(promisify(client.check.bind(client))(check)).rejects.toThrow(expected)
  const invoke = new provider.InvokeRequest().setTok('azure-native:keyvault:getVault')
  await expect(promisify(client.invoke.bind(client))(invoke)).rejects.toThrow('azure-native:keyvault:getVault: add it')
})

it('passes on what the resource manager says to a name that it refuses', async () => {
  const type = 'azure-native:resources:ResourceGroup'
  const inputs = struct.Struct.fromJavaScript({ resourceGroupName: 'a/b?', location: 'westeurope' })
  const create = new provider.CreateRequest().setUrn(urn(type)).setProperties(inputs)
  await expect(promisify(client.create.bind(client))(create)).rejects.toThrow(/Status=4\d\d Code="\w+" Message="[^"]+"/)
})

it('imports what exists with the inputs that would create it', async () => {
  await configure({})
  const group = { resourceGroupName: 'imported', location: 'westeurope' }
  await create('azure-native:resources:ResourceGroup', group)
  const inputs = {
    resourceGroupName: 'imported',
    accountName: 'importedaccount',
    location: 'westeurope',
    kind: 'StorageV2',
    sku: { name: 'Standard_LRS' },
    allowSharedKeyAccess: false,
    enableHttpsTrafficOnly: true,
    tags: { environment: 'dev' },
  }
  const type = 'azure-native:storage:StorageAccount'
  const id = await create(type, inputs)
  const imported = await read(new provider.ReadRequest().setUrn(urn(type)).setId(id))
  expect(imported.getInputs()!.toJavaScript()).toEqual(inputs)
  const unchanged = new provider.DiffRequest()
    .setUrn(urn(type))
    .setOldInputs(imported.getInputs())
    .setNews(struct.Struct.fromJavaScript(inputs))
  const diff = (await promisify(client.diff.bind(client))(unchanged)) as provider.DiffResponse
  expect(diff.getChanges()).toBe(provider.DiffResponse.DiffChanges.DIFF_NONE)
})

it('takes over what was changed in Azure into the inputs of a refresh, and nothing else', async () => {
  const type = 'azure-native:resources:ResourceGroup'
  const tags = { environment: 'prod', owner: 'b' }
  const id = await create(type, { resourceGroupName: 'refreshed', location: 'westeurope', tags })
  const before = { environment: 'dev', team: 'a' }
  const request = new provider.ReadRequest()
    .setUrn(urn(type))
    .setId(id)
    .setInputs(struct.Struct.fromJavaScript({ location: 'West Europe', tags: before }))
    .setProperties(struct.Struct.fromJavaScript({ location: 'westeurope', tags: before }))
  expect((await read(request)).getInputs()!.toJavaScript()).toEqual({ location: 'West Europe', tags })
})

it('names each change by the path that the engine reads', async () => {
  const type = 'azure-native:web:WebApp'
  const before = { tags: { team: 'a', 'cost.center': '1', 'a "b"': '1' }, list: [null, 'b', null] }
  const after = { tags: { team: 'b', 'cost.center': '2', 'a "b"': '2', 'x-y': '1' }, list: ['a', 'b'] }
  const request = new provider.DiffRequest()
    .setUrn(urn(type))
    .setOldInputs(struct.Struct.fromJavaScript(before))
    .setNews(struct.Struct.fromJavaScript(after))
  const response = (await promisify(client.diff.bind(client))(request)) as provider.DiffResponse
  const { ADD, DELETE, UPDATE } = provider.PropertyDiff.Kind
  const kinds = new Map<string, number>()
  response.getDetaileddiffMap().forEach((change, path) => kinds.set(path, change.getKind()))
  expect(Object.fromEntries(kinds)).toEqual({
    'tags.team': UPDATE,
    'tags["cost.center"]': UPDATE,
    'tags["a \\"b\\""]': UPDATE,
    'tags["x-y"]': ADD,
    'list[0]': UPDATE,
    'list[2]': DELETE,
  })
})

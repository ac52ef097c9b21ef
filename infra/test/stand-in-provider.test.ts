import { promisify } from 'node:util'
import grpc from '@grpc/grpc-js'
import providerRpc from '@pulumi/pulumi/proto/provider_grpc_pb.js'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import struct from 'google-protobuf/google/protobuf/struct_pb.js'
import { startEmulator } from '@acs-kit/communication-emulator'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startStandInProvider } from '../local/stand-in-provider.ts'

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

it('names what it was not told', async () => {
  await expect(configure({ metadataHost: '', tenantId: '' })).rejects.toThrow(
    'the stand-in provider needs azure-native:metadataHost, azure-native:tenantId',
  )
})

it('refuses types that it does not know, and names the file to extend', async () => {
  await configure({})
  const check = new provider.CheckRequest().setUrn(urn('azure-native:keyvault:Vault'))
  const expected = 'azure-native:keyvault:Vault: add it to infra/local/resource-table.ts'
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

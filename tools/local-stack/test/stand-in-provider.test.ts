import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Emulator } from '@acs-kit/communication-emulator'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import struct from 'google-protobuf/google/protobuf/struct_pb.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startStandInProvider } from '../src/stand-in-provider/stand-in-provider.ts'
import { ProviderClient, startProvider, urn } from './provider-client.ts'

const script = join(import.meta.dirname, '../src/stand-in-provider/main.ts')
const open = new AsyncDisposableStack()
let emulator: Emulator
let client: ProviderClient

beforeAll(async () => {
  const started = open.use(await startProvider())
  emulator = started.emulator
  client = started.client
})
afterAll(() => open.disposeAsync())

it('rejects requests before it is configured', async () => {
  await using unconfigured = await startStandInProvider(emulator.resourceManager.servicePrincipal)
  using target = new ProviderClient(unconfigured.port)
  const group = { resourceGroupName: 'early', location: 'westeurope' }
  await expect(target.create('azure-native:resources:ResourceGroup', group)).rejects.toThrow(
    'the stand-in provider is not configured: call Configure first',
  )
})

it('names missing configuration', async () => {
  await expect(client.configure({ metadataHost: '', tenantId: '' })).rejects.toThrow(
    'the stand-in provider has no value for azure-native:metadataHost, azure-native:tenantId',
  )
})

it('rejects unsupported types and names the file to extend', async () => {
  const check = new provider.CheckRequest().setUrn(urn('azure-native:keyvault:Vault'))
  const expected = 'azure-native:keyvault:Vault: add it to tools/local-stack/src/stand-in-provider/resource-table.ts'
  await expect(promisify(client.rpc.check.bind(client.rpc))(check)).rejects.toThrow(expected)
  const invoke = new provider.InvokeRequest().setTok('azure-native:keyvault:getVault')
  await expect(promisify(client.rpc.invoke.bind(client.rpc))(invoke)).rejects.toThrow(
    'azure-native:keyvault:getVault: add it',
  )
})

it("passes on the resource manager's error for an invalid name", async () => {
  const type = 'azure-native:resources:ResourceGroup'
  const rejected = client.create(type, { resourceGroupName: 'a/b?', location: 'westeurope' })
  await expect(rejected).rejects.toThrow(/Status=4\d\d Code="\w+" Message="[^"]+"/)
})

it('imports an existing resource with the inputs that would create it', async () => {
  const group = { resourceGroupName: 'imported', location: 'westeurope' }
  await client.create('azure-native:resources:ResourceGroup', group)
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
  const id = await client.create(type, inputs)
  const imported = await client.read(new provider.ReadRequest().setUrn(urn(type)).setId(id))
  expect(imported.getInputs()!.toJavaScript()).toEqual(inputs)
  const diff = await client.diff(type, { oldInputs: inputs, news: inputs })
  expect(diff.getChanges()).toBe(provider.DiffResponse.DiffChanges.DIFF_NONE)
})

it('applies only changes made in Azure to the inputs of a refresh', async () => {
  const type = 'azure-native:resources:ResourceGroup'
  const tags = { environment: 'prod', owner: 'b' }
  const id = await client.create(type, { resourceGroupName: 'refreshed', location: 'westeurope', tags })
  const before = { environment: 'dev', team: 'a' }
  const request = new provider.ReadRequest()
    .setUrn(urn(type))
    .setId(id)
    .setInputs(struct.Struct.fromJavaScript({ location: 'West Europe', tags: before }))
    .setProperties(struct.Struct.fromJavaScript({ location: 'westeurope', tags: before }))
  expect((await client.read(request)).getInputs()!.toJavaScript()).toEqual({ location: 'West Europe', tags })
})

it('adopts a part of a site, and resets it in place of a deletion', async () => {
  const site = { resourceGroupName: 'parts', name: 'site' }
  await client.create('azure-native:resources:ResourceGroup', { resourceGroupName: 'parts', location: 'westeurope' })
  await client.create('azure-native:web:WebApp', { ...site, location: 'westeurope' })
  const type = 'azure-native:web:WebAppScmAllowed'
  const isAllowed = async (id: string) => {
    const response = await client.read(new provider.ReadRequest().setUrn(urn(type)).setId(id))
    return response.getProperties()!.toJavaScript()['allow']
  }
  const id = await client.create(type, { ...site, allow: false })
  expect([id, await isAllowed(id)]).toEqual([expect.stringMatching(/\/sites\/site\/.*\/scm$/), false])
  await client.delete(type, id)
  expect(await isAllowed(id)).toBe(true)
})

it("names each change by its path in the engine's form", async () => {
  const type = 'azure-native:web:WebApp'
  const before = { tags: { team: 'a', 'cost.center': '1', 'a "b"': '1' }, list: [null, 'b', null] }
  const after = { tags: { team: 'b', 'cost.center': '2', 'a "b"': '2', 'x-y': '1' }, list: ['a', 'b'] }
  const response = await client.diff(type, { oldInputs: before, news: after })
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

it('runs as a program and prints the variable that attaches it', async () => {
  await using started = await ServerProcess.start({
    script,
    args: ['--metadata-host', emulator.resourceManager.servicePrincipal.metadataHost],
    env: childEnvironment({ NODE_EXTRA_CA_CERTS: emulator.caPath }),
    ready: /\n/,
  })
  const [, port] = /^PULUMI_DEBUG_PROVIDERS=azure-native:(\d+)\n$/.exec(started.stdout)!
  using standalone = new ProviderClient(Number(port))
  await standalone.configure()
  const group = { resourceGroupName: 'standalone', location: 'westeurope' }
  const id = await standalone.create('azure-native:resources:ResourceGroup', group)
  expect(id).toBe('/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/standalone')
  expect(emulator.resourceManager.resources().map((resource) => resource.id.name)).toContain('standalone')
})

it('lists its options with --help and rejects others', async () => {
  const run = (option: string) => promisify(execFile)(process.execPath, [script, option])
  const { stdout } = await run('--help')
  for (const option of ['--metadata-host <url>', '--subscription-id <id>', '--help']) expect(stdout).toContain(option)
  await expect(run('--port')).rejects.toMatchObject({
    code: 1,
    stderr:
      "stand-in-provider: unknown option '--port': usage: npx node tools/local-stack/src/stand-in-provider/main.ts [options]\n",
  })
})

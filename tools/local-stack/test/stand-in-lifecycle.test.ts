import type { Emulator } from '@acs-kit/communication-emulator'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toStruct } from '../src/stand-in-provider/struct-values.ts'
import { startProvider, urn, type Inputs, type ProviderClient } from './provider-client.ts'

const open = new AsyncDisposableStack()
let emulator: Emulator
let client: ProviderClient

beforeAll(async () => {
  const started = open.use(await startProvider())
  emulator = started.emulator
  client = started.client
})
afterAll(() => open.disposeAsync())
beforeEach(async () => {
  emulator.faults.clear()
  await emulator.resourceManager.clear()
  await client.create('azure-native:resources:ResourceGroup', { resourceGroupName: 'group', location: 'westeurope' })
  emulator.requests.clear()
})

const common = { resourceGroupName: 'group', location: 'westeurope' }
const plan: Inputs = { ...common, name: 'plan', sku: { name: 'B1' }, kind: 'linux', reserved: true }
const site: Inputs = {
  ...common,
  name: 'site',
  kind: 'app,linux',
  siteConfig: { alwaysOn: true, appSettings: [{ name: 'SECRET', value: 'hush' }] },
}
/** Requests to the resource manager, with the last two segments of the path. */
const requests = () =>
  emulator.requests
    .list()
    .filter(({ operation }) => operation?.startsWith('arm'))
    .map(({ method, path }) => `${method} ${path.split('/').slice(-2).join('/')}`)

async function readOutputs(type: string, id: string): Promise<Inputs> {
  const response = await client.read(new provider.ReadRequest().setUrn(urn(type)).setId(id))
  return response.getProperties()!.toJavaScript()
}

describe('a creation', () => {
  const type = 'azure-native:web:AppServicePlan'

  it('is rejected if the resource exists, and does not change it', async () => {
    const id = await client.create(type, plan)
    const rejected = client.create(type, { ...plan, sku: { name: 'S1' } })
    await expect(rejected).rejects.toThrow(`cannot create already existing resource '${id}'`)
    expect((await readOutputs(type, id))['sku']).toEqual({ name: 'B1' })
  })

  it('is rejected if it is unknown whether the resource exists', async () => {
    emulator.faults.add({ operation: 'armGet', status: 403, count: 1 })
    await expect(client.create(type, plan)).rejects.toThrow(
      /cannot check existence of resource '\/subscriptions\/\S+\/serverfarms\/plan': status code 403, \{"error":\{"code":"InjectedFault"/,
    )
    expect(requests()).toEqual(['GET serverfarms/plan'])
  })
})

describe('a site', () => {
  const type = 'azure-native:web:WebApp'

  it('is read with its configuration, without the app settings', async () => {
    const id = await client.create(type, site)
    expect(requests()).toEqual(['GET sites/site', 'PUT sites/site', 'GET sites/site', 'GET config/web'])
    emulator.requests.clear()
    expect((await readOutputs(type, id))['siteConfig']).toEqual({ alwaysOn: true })
    expect(requests()).toEqual(['GET sites/site', 'GET config/web'])
    emulator.requests.clear()
    const outputs = await client.update(type, id, site, { ...site, siteConfig: { alwaysOn: false } })
    expect(outputs['siteConfig']).toEqual({ alwaysOn: false })
    expect(requests()).toEqual(['PUT sites/site', 'GET sites/site', 'GET config/web'])
  })

  it('is refreshed with changed configuration, and with the app settings of the program', async () => {
    const id = await client.create(type, site)
    const before = await readOutputs(type, id)
    const changed = { alwaysOn: false, appSettings: [{ name: 'SECRET', value: 'changed' }] }
    await client.update(type, id, site, { ...site, siteConfig: changed })
    const request = new provider.ReadRequest()
      .setUrn(urn(type))
      .setId(id)
      .setInputs(toStruct(site))
      .setProperties(toStruct(before))
    const { siteConfig } = (await client.read(request)).getInputs()!.toJavaScript()
    expect(siteConfig).toEqual({ ...(site['siteConfig'] as object), alwaysOn: false })
  })

  it('is deleted without its plan', async () => {
    const serverFarmId = await client.create('azure-native:web:AppServicePlan', plan)
    const id = await client.create(type, { ...site, serverFarmId })
    await client.delete(type, id)
    expect(emulator.resourceManager.resources().map((resource) => resource.id.name)).toEqual(['group', 'plan'])
  })
})

it('imports a site with its identities as a list, and without what cannot be an input', async () => {
  const type = 'azure-native:web:WebApp'
  const identity = { type: 'UserAssigned', userAssignedIdentities: ['/a', '/b'] }
  const id = await client.create(type, { ...site, identity })
  const imported = await client.read(new provider.ReadRequest().setUrn(urn(type)).setId(id))
  expect(imported.getInputs()!.toJavaScript()).toEqual({ ...site, identity, siteConfig: { alwaysOn: true } })
})

describe('an update', () => {
  const type = 'azure-native:web:WebApp'
  const withIdentities = (...ids: string[]): Inputs => ({
    ...site,
    identity: { type: 'UserAssigned', userAssignedIdentities: ids },
  })

  it('removes an identity with a PATCH, and changes everything else with a PUT', async () => {
    const id = await client.create(type, withIdentities('/a', '/b'))
    const identities = async () => (await readOutputs(type, id))['identity']
    emulator.requests.clear()
    await client.update(type, id, withIdentities('/a', '/b'), withIdentities('/b', '/c'))
    expect(requests()[0]).toBe('PATCH sites/site')
    expect(await identities()).toEqual({ type: 'UserAssigned', userAssignedIdentities: { '/b': {}, '/c': {} } })
    emulator.requests.clear()
    await client.update(type, id, withIdentities('/b', '/c'), withIdentities('/b', '/c', '/d'))
    expect(requests()[0]).toBe('PUT sites/site')
    emulator.requests.clear()
    await client.update(type, id, withIdentities('/b', '/c', '/d'), { ...site, identity: { type: 'None' } })
    expect(requests()[0]).toBe('PUT sites/site')
    expect(await identities()).toEqual({ type: 'None' })
  })
})

import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { CommunicationIdentityClient } from '@azure/communication-identity'
import { beforeEach, describe, expect, it } from 'vitest'
import { startEmulator } from '../src/index.ts'
import { sendToArm, clientsFor, credentialFor, quick, subscription, type ArmRequestOptions } from './arm-fixture.ts'
import { useEmulator } from './emulator-fixture.ts'
import { send as sendSigned } from './signed-request.ts'

const fixture = useEmulator()

let clients: ReturnType<typeof clientsFor>

beforeEach(async () => {
  clients = clientsFor(fixture.emulator)
  await clients.groups.resourceGroups.createOrUpdate('group', { location: 'westeurope', tags: { team: 'a' } })
})

const args = { location: 'Global', dataLocation: 'Europe' }
const create = (name = 'calls', more: object = {}) =>
  clients.communication.communicationServices.beginCreateOrUpdateAndWait('group', name, { ...args, ...more }, quick)

const send = (method: string, path: string, options?: ArmRequestOptions) =>
  sendToArm(fixture.emulator, method, path, options)

const group = `/subscriptions/${subscription}/resourceGroups/group`
const service = `${group}/providers/Microsoft.Communication/communicationServices/calls`
const body = { location: 'global', properties: { dataLocation: 'UK' } }
const tables = `${group}/providers/Microsoft.Storage/storageAccounts/none/tableServices/default/tables`

describe("the resource manager with Azure's clients", () => {
  it('creates, updates, lists and deletes a group', async () => {
    const { resourceGroups } = clients.groups
    expect(await resourceGroups.get('GROUP')).toMatchObject({
      name: 'group',
      location: 'westeurope',
      tags: { team: 'a' },
    })
    expect(await resourceGroups.checkExistence('group')).toMatchObject({ body: true })
    expect(await resourceGroups.checkExistence('other')).toMatchObject({ body: false })
    await resourceGroups.update('group', { tags: { team: 'b' } })
    expect((await Array.fromAsync(resourceGroups.list())).map(({ tags }) => tags)).toEqual([{ team: 'b' }])
    await create()
    const endpoint = fixture.emulator.resources.at(-1)!.endpoint
    await resourceGroups.beginDeleteAndWait('group', quick)
    expect(await Array.fromAsync(resourceGroups.list())).toEqual([])
    expect(fixture.emulator.resourceManager.resources()).toEqual([])
    await expect(fetch(endpoint)).rejects.toThrow('fetch failed')
    await expect(resourceGroups.get('group')).rejects.toMatchObject({ code: 'ResourceGroupNotFound', statusCode: 404 })
  })

  it('creates a communication service that is served at its own endpoint until it is deleted', async () => {
    const { communicationServices } = clients.communication
    const created = await create('calls', { tags: { a: 'b' } })
    expect(created).toMatchObject({
      name: 'calls',
      type: 'microsoft.communication/communicationservices',
      location: 'Global',
      dataLocation: 'Europe',
      provisioningState: 'Succeeded',
      hostName: expect.stringMatching(/^localhost:\d+$/),
      immutableResourceId: expect.stringMatching(/^[\da-f-]{36}$/),
    })
    const keys = await communicationServices.listKeys('group', 'calls')
    const client = new CommunicationIdentityClient(keys.primaryConnectionString!)
    const { communicationUserId } = await client.createUser()
    expect(communicationUserId).toContain(created.immutableResourceId)
    await expect(
      new CommunicationIdentityClient(fixture.emulator.connectionString).getToken({ communicationUserId }, ['voip']),
    ).rejects.toMatchObject({ statusCode: 401 })

    const { token } = await client.getToken({ communicationUserId }, ['voip'])
    const regenerated = await communicationServices.regenerateKey('group', 'calls', { keyType: 'Primary' })
    expect(regenerated.primaryKey).not.toBe(keys.primaryKey)
    expect(fixture.emulator.introspect(token).state).toBe('revoked')
    await expect(client.createUser()).rejects.toMatchObject({ statusCode: 401 })
    await new CommunicationIdentityClient(keys.secondaryConnectionString!).createUser()

    await communicationServices.update('group', 'calls', { tags: { a: 'c' } })
    expect(await create('calls', { tags: { a: 'd' } })).toMatchObject({
      immutableResourceId: created.immutableResourceId,
    })
    expect(await Array.fromAsync(communicationServices.listByResourceGroup('group'))).toMatchObject([
      { tags: { a: 'd' } },
    ])
    expect(await Array.fromAsync(communicationServices.listBySubscription())).toHaveLength(1)
    await communicationServices.beginDeleteAndWait('group', 'calls', quick)
    await expect(client.createUser()).rejects.toThrow('ECONNREFUSED')
    expect(fixture.emulator.identities()).toEqual([])
    const next = await create()
    expect(next.immutableResourceId).not.toBe(created.immutableResourceId)
  })

  it('does not keep data of a deleted resource for a new one with the same name', async () => {
    const assignment = `/access/entra/assignments/${subscription}?api-version=2025-03-02-preview`
    const body = { tenantId: subscription, principalType: 'user', clientIds: [] }
    const headers = {
      'repeatability-request-id': 'c0ffee00-0000-4000-8000-000000000001',
      'repeatability-first-sent': 'Thu, 26 Nov 2026 10:00:00 GMT',
    }
    for (let round = 0; round < 2; round++) {
      const { immutableResourceId } = await create()
      const { endpoint, accessKey } = fixture.emulator.resources.at(-1)!
      const { json } = await sendSigned(endpoint, { accessKey, target: '/identities?api-version=2023-08-01', headers })
      expect(json.identity.id).toContain(immutableResourceId)
      expect((await sendSigned(endpoint, { accessKey, method: 'PUT', target: assignment, body })).status).toBe(201)
      await clients.communication.communicationServices.beginDeleteAndWait('group', 'calls', quick)
    }
  })

  it('disables access keys and public access', async () => {
    const { primaryConnectionString } = await create().then(() =>
      clients.communication.communicationServices.listKeys('group', 'calls'),
    )
    const keyClient = new CommunicationIdentityClient(primaryConnectionString!)
    const { endpoint } = fixture.emulator.resources.at(-1)!
    const tokenClient = new CommunicationIdentityClient(endpoint, credentialFor(fixture.emulator.endpoint))
    const exchange = () =>
      fetch(`${endpoint}access/teamsExtension/:exchangeAccessToken?api-version=2025-06-30`, { method: 'POST' })
    await create('calls', { disableLocalAuth: true })
    expect((await exchange()).status).toBe(401)
    await expect(keyClient.createUser()).rejects.toMatchObject({ statusCode: 401 })
    await tokenClient.createUser()
    await create('calls', { publicNetworkAccess: 'Disabled' })
    await expect(tokenClient.createUser()).rejects.toMatchObject({ statusCode: 403 })
    expect((await exchange()).status).toBe(403)
    await create()
    await keyClient.createUser()
  })

  it('checks whether a name is available', async () => {
    const check = (name: string) =>
      clients.communication.communicationServices.checkNameAvailability({
        name,
        type: 'Microsoft.Communication/CommunicationServices',
      })
    expect(await check('calls')).toMatchObject({ nameAvailable: true })
    await create()
    expect(await check('CALLS')).toMatchObject({ nameAvailable: false, reason: 'AlreadyExists' })
    expect(await check('no such name')).toMatchObject({ nameAvailable: false, reason: 'Invalid' })
  })

  it('creates a storage account with a table and a container, and returns its keys', async () => {
    const { storageAccounts, table, blobContainers } = clients.storage
    const account = await storageAccounts.beginCreateAndWait('group', 'mappings', {
      location: 'westeurope',
      kind: 'StorageV2',
      sku: { name: 'Standard_LRS' },
      allowSharedKeyAccess: false,
    })
    expect(account).toMatchObject({
      allowSharedKeyAccess: false,
      primaryEndpoints: { table: expect.stringContaining('mappings') },
    })
    expect(await table.create('group', 'mappings', 'identities')).toMatchObject({ tableName: 'identities' })
    await blobContainers.create('group', 'mappings', 'packages', { publicAccess: 'None' })
    expect(await Array.fromAsync(table.list('group', 'mappings'))).toHaveLength(1)
    const { keys } = await storageAccounts.listKeys('group', 'mappings')
    expect(new Set(keys!.map(({ value }) => value)).size).toBe(2)
    const remaining = await Array.fromAsync(clients.groups.resources.listByResourceGroup('group'))
    expect(remaining.map(({ type }) => type)).toContain('Microsoft.Storage/storageAccounts')
    await table.delete('group', 'mappings', 'identities')
    await storageAccounts.delete('group', 'mappings')
    expect(fixture.emulator.resourceManager.resources()).toHaveLength(1)
  })
})

describe('the resource manager', () => {
  it('creates and deletes a service with long-running operations', async () => {
    const path = `${service}?api-version=2026-03-18`
    expect((await send('GET', path)).status).toBe(404)
    const { status, headers, json } = await send('PUT', path, { body })
    expect([status, json.properties.provisioningState]).toEqual([201, 'Accepted'])
    const link = headers.get('Azure-AsyncOperation')!
    expect((await send('GET', link)).json.status).toBe('Accepted')
    await expect.poll(async () => (await send('GET', link)).json.status).toBe('Succeeded')
    expect(
      (await send('GET', path.toUpperCase().replace('API-VERSION', 'api-version'))).json.properties.provisioningState,
    ).toBe('Succeeded')
    const deleted = await send('DELETE', path)
    expect(deleted.status).toBe(202)
    expect((await send('GET', deleted.headers.get('Location')!)).status).toBe(202)
    await expect.poll(async () => (await send('GET', deleted.headers.get('Location')!)).status).toBe(200)
    expect((await send('DELETE', path)).status).toBe(204)
  })

  const inEurope = { body: { ...body, location: 'westeurope' } }
  const onMars = { body: { ...body, properties: { dataLocation: 'Mars' } } }

  it.each<[string, string, string, ArmRequestOptions, number, string]>([
    ['a request without a token', 'GET', service, { token: null }, 401, 'AuthenticationFailed'],
    ['a token of another issuer', 'GET', service, { token: 'a.b.c' }, 401, 'InvalidAuthenticationToken'],
    ['an unknown group', 'GET', service.replace('group/', 'none/'), {}, 404, 'ResourceGroupNotFound'],
    ['an unknown resource', 'GET', service, {}, 404, 'ResourceNotFound'],
    ['an unknown type', 'PUT', `${group}/providers/Microsoft.Nothing/things/a`, { body }, 404, 'InvalidResourceType'],
    ['a child without its parent', 'PUT', `${tables}/abc`, { body }, 404, 'ParentResourceNotFound'],
    ['an unavailable location', 'PUT', service, inEurope, 400, 'LocationNotAvailableForResourceType'],
    ['an unknown data location', 'PUT', service, onMars, 400, 'InvalidDataLocation'],
    ['an invalid name', 'PUT', `${service}!`, { body }, 400, 'InvalidResourceName'],
    ['a reserved name', 'PUT', service.replace('calls', 'default'), { body }, 400, 'HostNamePrefixTaken'],
    ['a body that is not an object', 'PUT', service, { body: [] }, 400, 'InvalidRequestContent'],
  ])('rejects %s', async (_, method, path, options, status, code) => {
    const response = await send(method, `${path}?api-version=2025-09-01`, options)
    expect([response.status, response.json.error.code]).toEqual([status, code])
  })

  it('rejects missing, malformed and unknown api-versions', async () => {
    const responses = await Promise.all([
      send('GET', service),
      send('GET', `${service}?api-version=x`),
      send('GET', `${service}?api-version=2019-01-01`),
    ])
    expect(responses.map(({ json }) => json.error.code)).toEqual([
      'MissingApiVersionParameter',
      'InvalidApiVersionParameter',
      'NoRegisteredProviderFound',
    ])
  })

  it('creates a plan, a site, an identity and its role, and hides app settings', async () => {
    const web = `${group}/providers/Microsoft.Web`
    const put = (path: string, body: object) =>
      send('PUT', `${path}?api-version=2025-05-01`, { body: { location: 'westeurope', ...body } })
    const identity = await put(`${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id`, {})
    expect(identity.json.properties.principalId).toMatch(/^[\da-f-]{36}$/)
    expect((await put(`${web}/serverfarms/plan`, { sku: { name: 'B1' } })).status).toBe(200)
    const appSettings = [{ name: 'SECRET', value: 'hush' }]
    const site = await put(`${web}/sites/site`, { properties: { siteConfig: { appSettings, alwaysOn: true } } })
    expect(site.json.properties.defaultHostName).toMatch(/^site\./)
    const shown = [site, await send('GET', `${web}/sites/site/config/web?api-version=2025-05-01`)]
    expect(JSON.stringify(shown.map(({ json }) => json))).not.toContain('hush')
    expect(shown[1]!.json.properties.alwaysOn).toBe(true)
    const settings = await send('POST', `${web}/sites/site/config/appsettings/list?api-version=2025-05-01`)
    expect(settings.json.properties).toEqual({ SECRET: 'hush' })
    const role = `${service.replace('calls', 'none')}/providers/Microsoft.Authorization/roleAssignments/${subscription}`
    const assignment = { roleDefinitionId: '/x', principalId: identity.json.properties.principalId }
    expect((await put(role, { properties: assignment })).status).toBe(404)
    await create('none')
    expect((await put(role, { properties: assignment })).json.properties.principalType).toBe('User')
    await clients.communication.communicationServices.beginDeleteAndWait('group', 'none', quick)
    expect((await send('GET', `${role}?api-version=2022-04-01`)).status).toBe(404)
  })

  it('describes the cloud without authentication', async () => {
    const { status, json } = await send('GET', '/metadata/endpoints?api-version=2022-09-01', { token: null })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      resourceManager: fixture.emulator.endpoint.slice(0, -1),
      authentication: { loginEndpoint: fixture.emulator.endpoint.slice(0, -1), audiences: [expect.any(String)] },
    })
  })

  it('fails with an injected fault', async () => {
    fixture.emulator.faults.add({ operation: 'armPut', status: 409, count: 1 })
    await expect(create()).rejects.toMatchObject({ statusCode: 409 })
    await create()
    expect(fixture.emulator.requests.list().filter(({ operation }) => operation === 'armPut')).toHaveLength(3)
  })
})

it('restores resources after a restart, with their endpoints and keys', async () => {
  const dataFolder = temporaryFolder()
  const before = await startEmulator({ dataFolder })
  const first = clientsFor(before)
  await first.groups.resourceGroups.createOrUpdate('group', { location: 'westeurope' })
  await first.communication.communicationServices.beginCreateOrUpdateAndWait('group', 'kept', {
    ...args,
    disableLocalAuth: true,
  })
  const { primaryConnectionString } = await first.communication.communicationServices.listKeys('group', 'kept')
  await before[Symbol.asyncDispose]()
  await using after = await startEmulator({ dataFolder })
  const second = clientsFor(after)
  expect(await second.communication.communicationServices.listKeys('group', 'kept')).toMatchObject({
    primaryConnectionString,
  })
  await expect(new CommunicationIdentityClient(primaryConnectionString!).createUser()).rejects.toMatchObject({
    statusCode: 401,
  })
  await second.groups.resourceGroups.beginDeleteAndWait('group', quick)
  expect(after.resourceManager.resources()).toEqual([])
})

it('sends Retry-After: 1 with each link to an operation, since Go and Python clients treat 0 as absent', async () => {
  const path = `${service}?api-version=2023-04-01`
  const creation = await send('PUT', path, { body })
  const running = await send('GET', creation.headers.get('Azure-AsyncOperation')!)
  const deletion = await send('DELETE', path)
  for (const { headers } of [creation, running, deletion]) {
    expect([headers.get('Retry-After'), headers.get('Retry-After-Ms')]).toEqual(['1', '50'])
  }
})

import { beforeEach, describe, expect, it } from 'vitest'
import { wellKnownConfidentialClientId, wellKnownTenantId } from '../src/index.ts'
import { sendToArm, clientsFor, quick, subscription, type ArmRequestOptions } from './arm-fixture.ts'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()
const send = (method: string, path: string, options?: ArmRequestOptions) =>
  sendToArm(fixture.emulator, method, `${path}${path.includes('?') ? '&' : '?'}api-version=2025-09-01`, options)

const group = `/subscriptions/${subscription}/resourceGroups/group`
const providers = `${group}/providers`
const service = `${providers}/Microsoft.Communication/communicationServices/calls`
const account = `${providers}/Microsoft.Storage/storageAccounts/mappings`
const site = `${providers}/Microsoft.Web/sites/site`
const servedSubscription = '00000000-0000-4000-8000-000000000000'

/** Enough time for a busy machine. */
const slow = { timeout: 10_000 }

let clients: ReturnType<typeof clientsFor>

beforeEach(async () => {
  clients = clientsFor(fixture.emulator)
  await clients.groups.resourceGroups.createOrUpdate('group', { location: 'westeurope' })
})

const putService = (body: object = {}) =>
  send('PUT', service, { body: { location: 'Global', properties: { dataLocation: 'Europe' }, ...body } })
const putAccount = () =>
  send('PUT', account, { body: { location: 'westeurope', kind: 'StorageV2', sku: { name: 'Standard_LRS' } } })
const putSite = (siteConfig?: object) =>
  send('PUT', site, { body: { location: 'westeurope', properties: { ...(siteConfig && { siteConfig }) } } })

describe('a command-line tool that signs in', () => {
  it('finds the served subscription, even if it is empty, and those in use', async () => {
    await fixture.emulator.resourceManager.clear()
    const { subscriptions } = clients.subscriptions
    expect(await Array.fromAsync(subscriptions.list())).toMatchObject([
      { subscriptionId: servedSubscription, state: 'Enabled', tenantId: wellKnownTenantId },
    ])
    await clients.groups.resourceGroups.createOrUpdate('group', { location: 'westeurope' })
    const listed = await Array.fromAsync(subscriptions.list())
    expect(listed.map(({ subscriptionId }) => subscriptionId)).toEqual([servedSubscription, subscription])
  })

  it('finds the tenant', async () => {
    const tenants = await Array.fromAsync(clients.subscriptions.tenants.list())
    expect(tenants).toMatchObject([{ id: `/tenants/${wellKnownTenantId}`, tenantId: wellKnownTenantId }])
  })
})

describe('a communication service', () => {
  it.each(['United States', 'UnitedStates', 'unitedstates'])('accepts the data location %s', async (dataLocation) => {
    await putService({ properties: { dataLocation } })
    expect((await send('GET', service)).json.properties.dataLocation).toBe(dataLocation)
    expect((await putService({ properties: { dataLocation: 'unitedStates' } })).status).toBe(200)
    expect((await putService({ properties: { dataLocation: 'Europe' } })).json.error.code).toBe('InvalidDataLocation')
  })

  it('creates a service as recorded: without a host name at first, with its location as sent and its author', async () => {
    const { json } = await putService({ systemData: { createdBy: 'a stranger' } })
    expect(json).toEqual({
      id: service,
      name: 'calls',
      type: 'microsoft.communication/communicationservices',
      location: 'Global',
      systemData: {
        createdBy: wellKnownConfidentialClientId,
        createdByType: 'Application',
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
        lastModifiedBy: wellKnownConfidentialClientId,
        lastModifiedByType: 'Application',
        lastModifiedAt: json.systemData.createdAt,
      },
      identity: { type: 'None' },
      properties: {
        provisioningState: 'Accepted',
        dataLocation: 'Europe',
        linkedDomains: [],
        publicNetworkAccess: 'Enabled',
        disableLocalAuth: false,
      },
    })
    const { accessToken } = await fixture.emulator.entra.signIn({
      user: 'Alice',
      audience: 'https://management.azure.com',
    })
    const again = await send('PUT', service, {
      body: { location: 'global', properties: { dataLocation: 'Europe' } },
      token: accessToken,
    })
    expect(again.json).toMatchObject({
      location: 'global',
      systemData: {
        createdBy: wellKnownConfidentialClientId,
        createdAt: json.systemData.createdAt,
        lastModifiedBy: 'alice@emulator.example',
        lastModifiedByType: 'User',
      },
      properties: { provisioningState: 'Accepted', hostName: expect.stringMatching(/^localhost:/) },
    })
  })

  it('updates a service under its name in any case', async () => {
    await putService()
    const body = { location: 'Global', properties: { dataLocation: 'Europe', disableLocalAuth: true } }
    const { status, json } = await send('PUT', service.replace('calls', 'CALLS'), { body })
    expect([status, json.id, json.properties.disableLocalAuth]).toEqual([200, service, true])
    expect(fixture.emulator.resources.map(({ name }) => name)).toEqual(['default', 'calls'])
  })

  it('creates and deletes a service with operations whose id is a full path', async () => {
    const created = await putService()
    const link = new URL(created.headers.get('Azure-AsyncOperation')!)
    expect(link.pathname).toMatch(
      /^\/subscriptions\/[\da-f-]{36}\/providers\/Microsoft\.Communication\/locations\/WESTUS2\/operationStatuses\/[\da-f-]{36}\*[\dA-F]{64}$/,
    )
    expect(created.headers.get('Location')).toBeNull()
    const status = { id: link.pathname, name: link.pathname.split('/').at(-1), resourceId: service }
    const first = await sendToArm(fixture.emulator, 'GET', link.href)
    expect(first.json).toEqual({ ...status, status: 'Accepted', startTime: expect.any(String) })
    const finished = { ...status, status: 'Succeeded', properties: null, startTime: first.json.startTime }
    await expect.poll(async () => (await sendToArm(fixture.emulator, 'GET', link.href)).json, slow).toEqual(finished)

    const deleted = await send('DELETE', service)
    expect([deleted.status, deleted.text]).toEqual([202, 'null'])
    const location = deleted.headers.get('Location')!
    expect(location).toContain('/operationStatuses/')
    expect(deleted.headers.get('Azure-AsyncOperation')).toBe(location)
    const during = await sendToArm(fixture.emulator, 'GET', location)
    expect([during.status, during.json.status, during.headers.get('Location')]).toEqual([202, 'Deleting', location])
    const end = async () => {
      const { status: code, json } = await sendToArm(fixture.emulator, 'GET', location)
      return [code, json.status, json.id]
    }
    await expect.poll(end, slow).toEqual([200, 'Succeeded', new URL(location).pathname])
  })

  it('links a notification hub, and keeps the link after a PUT', async () => {
    await putService()
    const { communicationServices } = clients.communication
    const hub = `${providers}/Microsoft.NotificationHubs/namespaces/n/notificationHubs/h`
    const linkNotificationHubParameters = { resourceId: hub, connectionString: 'Endpoint=sb://n;SharedAccessKey=k' }
    expect(
      await communicationServices.linkNotificationHub('group', 'calls', { linkNotificationHubParameters }),
    ).toMatchObject({ resourceId: hub })
    await putService()
    const { text } = await send('GET', service)
    expect(JSON.parse(text).properties.notificationHubId).toBe(hub)
    expect(text).not.toContain('SharedAccessKey')
    expect((await send('POST', `${service}/linkNotificationHub`, { body: {} })).status).toBe(400)
  })

  it('rejects the name of a resource that the emulator was started with', async () => {
    const check = await clients.communication.communicationServices.checkNameAvailability({
      name: 'default',
      type: 'Microsoft.Communication/CommunicationServices',
    })
    expect(check).toMatchObject({ nameAvailable: false, reason: 'AlreadyExists' })
    const put = await send('PUT', service.replace('calls', 'default'), {
      body: { location: 'global', properties: { dataLocation: 'UK' } },
    })
    expect([put.status, put.json.error.code]).toEqual([400, 'HostNamePrefixTaken'])
  })
})

describe('a PATCH', () => {
  it('removes members that are null, and replaces tags as a whole', async () => {
    await putService({ tags: { a: 'b' }, properties: { dataLocation: 'Europe', disableLocalAuth: true } })
    const patch = (body: object) => send('PATCH', service, { body })
    expect((await patch({ tags: { c: 'd', e: null } })).json.tags).toEqual({ c: 'd' })
    const { json } = await patch({ tags: null, properties: { disableLocalAuth: null } })
    expect(json.tags).toBeUndefined()
    expect(json.properties).toMatchObject({ dataLocation: 'Europe', disableLocalAuth: false })
    await clients.communication.communicationServices.regenerateKey('group', 'calls', { keyType: 'Primary' })
  })

  it('merges nested members of every type', async () => {
    await putAccount()
    const acls = { bypass: 'None', defaultAction: 'Deny' }
    await send('PATCH', account, { body: { properties: { networkAcls: acls, minimumTlsVersion: 'TLS1_2' } } })
    const patched = await send('PATCH', account, {
      body: { properties: { networkAcls: { bypass: null }, minimumTlsVersion: null } },
    })
    expect(patched.json.properties.networkAcls).toEqual({ defaultAction: 'Deny' })
    expect(patched.json.properties).not.toHaveProperty('minimumTlsVersion')
    await putSite({ appSettings: [{ name: 'A', value: '1' }], alwaysOn: true })
    await send('PATCH', site, { body: { properties: { siteConfig: { alwaysOn: null } } } })
    expect((await send('GET', `${site}/config/web`)).json.properties).toEqual({ appSettings: null })
    expect((await send('POST', `${site}/config/appsettings/list`)).json.properties).toEqual({ A: '1' })
  })

  it('removes the settings of a site, which a PUT without settings keeps', async () => {
    const settings = async () => (await send('POST', `${site}/config/appsettings/list`)).json.properties
    await putSite({ appSettings: [{ name: 'A', value: '1' }], alwaysOn: true })
    await putSite({ appSettings: null, alwaysOn: true })
    expect(await settings()).toEqual({ A: '1' })
    await send('PATCH', site, { body: { properties: { siteConfig: { appSettings: null } } } })
    expect(await settings()).toEqual({})
    expect((await send('GET', `${site}/config/web`)).json.properties).toMatchObject({ alwaysOn: true })
  })

  it('differs from a PUT, which treats null as absent', async () => {
    const { status, json } = await putService({
      tags: null,
      properties: { dataLocation: 'Europe', disableLocalAuth: null, publicNetworkAccess: null },
    })
    expect([status, json.properties.publicNetworkAccess]).toEqual([201, 'Enabled'])
    const put = await send('PUT', account, {
      body: { location: 'westeurope', kind: 'StorageV2', sku: { name: 'Standard_LRS', tier: null }, tags: null },
    })
    expect(put.json).not.toHaveProperty('tags')
    expect(put.json.sku).toEqual({ name: 'Standard_LRS' })
  })
})

describe('a location', () => {
  it.each([
    [null, 'Its location cannot be removed.'],
    ['eastus', "Its location cannot be changed to 'eastus'."],
  ])('rejects a change to %j', async (location, reason) => {
    await putAccount()
    const { status, json } = await send('PATCH', account, { body: { location } })
    expect([status, json.error]).toEqual([
      409,
      {
        code: 'InvalidResourceLocation',
        message: `The resource ${account} already exists in location 'westeurope'. ${reason}`,
      },
    ])
  })
})

describe('a site', () => {
  it('stores settings with their own PUT, and keeps them after a PUT of the site', async () => {
    const { webApps } = clients.web
    await webApps.createOrUpdate('group', 'site', { location: 'westeurope', siteConfig: { alwaysOn: true } })
    const settings = { properties: { SECRET: 'hush', OTHER: '1' } }
    expect((await webApps.updateApplicationSettings('group', 'site', settings)).properties).toEqual(settings.properties)
    const put = await send('PUT', `${site}/config/appsettings`, { body: settings })
    expect([put.status, put.json.properties]).toEqual([200, settings.properties])
    await webApps.createOrUpdate('group', 'site', { location: 'westeurope', siteConfig: { alwaysOn: false } })
    expect((await webApps.listApplicationSettings('group', 'site')).properties).toEqual(settings.properties)
    expect((await webApps.getConfiguration('group', 'site')).alwaysOn).toBe(false)
    expect((await send('GET', `${site}/config/appsettings`)).text).not.toContain('hush')
    const own = fixture.emulator.resourceManager.resources().filter(({ id }) => id.type.includes('Web'))
    expect(own.map(({ envelope }) => envelope.properties)).toEqual([
      {
        siteConfig: {
          alwaysOn: false,
          appSettings: [
            { name: 'SECRET', value: 'hush' },
            { name: 'OTHER', value: '1' },
          ],
        },
      },
    ])
    expect((await send('DELETE', `${site}/config/appsettings`)).status).toBe(405)
  })

  it('stores other configuration with its own PUT and PATCH, and keeps the settings', async () => {
    await putSite({ appSettings: [{ name: 'A', value: '1' }], alwaysOn: true })
    const put = await send('PUT', `${site}/config/web`, { body: { properties: { http20Enabled: true } } })
    expect([put.status, put.json.properties]).toEqual([200, { http20Enabled: true, appSettings: null }])
    await send('PATCH', `${site}/config/web`, { body: { properties: { alwaysOn: true } } })
    expect((await send('GET', `${site}/config/web`)).json.properties).toMatchObject({
      http20Enabled: true,
      alwaysOn: true,
    })
    expect((await send('POST', `${site}/config/appsettings/list`)).json.properties).toEqual({ A: '1' })
    expect((await send('PUT', `${site}/config/logs`, { body: { properties: {} } })).status).toBe(200)
    const orphan = await send('PUT', `${site.replace(/site$/, 'none')}/config/appsettings`, {
      body: { properties: {} },
    })
    expect([orphan.status, orphan.json.error.code]).toEqual([404, 'ParentResourceNotFound'])
  })

  it.each([
    { parameter: '', plans: [200, 404] },
    { parameter: '?deleteEmptyServerFarm=false', plans: [200, 200] },
  ])('deletes the plan with its last site, unless the query keeps it: "$parameter"', async ({ parameter, plans }) => {
    const plan = `${providers}/Microsoft.Web/serverfarms/plan`
    const put = (path: string, properties: object) =>
      send('PUT', path, { body: { location: 'westeurope', properties } })
    await put(plan, {})
    const sites = [site, `${site}-2`]
    for (const path of sites) await put(path, { serverFarmId: plan.replace('Microsoft.Web', 'microsoft.web') })
    const statuses: number[] = []
    for (const path of sites) {
      expect((await send('DELETE', `${path}${parameter}`)).status).toBe(200)
      statuses.push((await send('GET', plan)).status)
    }
    expect(statuses).toEqual(plans)
  })

  it.each(['Site', 'Microsoft.Web/sites'] as const)('checks a name for the type %s', async (type) => {
    const check = (name: string) => clients.web.checkNameAvailability(name, type)
    expect(await check('site')).toMatchObject({ nameAvailable: true })
    await putSite()
    expect(await check('SITE')).toMatchObject({ nameAvailable: false, reason: 'AlreadyExists' })
    expect(await check('no such name')).toMatchObject({ nameAvailable: false, reason: 'Invalid' })
    const other = await send('PUT', site.replace('group/', 'second/'), { body: { location: 'westeurope' } })
    expect(other.json.error.code).toBe('ResourceGroupNotFound')
    await clients.groups.resourceGroups.createOrUpdate('second', { location: 'westeurope' })
    const taken = await send('PUT', site.replace('group/', 'second/'), { body: { location: 'westeurope' } })
    expect([taken.status, taken.json.error.message]).toEqual([409, 'Website with given name site already exists.'])
  })
})

describe('a member of the wrong type', () => {
  const siteConfig = (value: unknown) => ({ properties: { siteConfig: value } })
  it.each([
    ['PUT', account, { properties: 'x' }, 'properties'],
    ['PUT', account, { properties: [] }, 'properties'],
    ['PATCH', account, { tags: 'q' }, 'tags'],
    ['PUT', account, { tags: ['q'] }, 'tags'],
    ['PATCH', account, { sku: 1 }, 'sku'],
    ['PATCH', account, { identity: 'SystemAssigned' }, 'identity'],
    ['PUT', service, { properties: { dataLocation: 'Europe', linkedDomains: 'x' } }, 'linkedDomains'],
    ['PUT', site, siteConfig('x'), 'siteConfig'],
    ['PUT', site, siteConfig({ appSettings: 'x' }), 'appSettings'],
    ['PATCH', site, siteConfig({ appSettings: { A: '1' } }), 'appSettings'],
    ['PUT', site, siteConfig({ appSettings: [null] }), 'appSettings'],
    ['PUT', site, siteConfig({ appSettings: [{ name: 'A' }] }), 'appSettings'],
    ['PUT', `${site}/config/web`, { properties: { appSettings: 'x' } }, 'appSettings'],
    ['PUT', `${site}/config/appsettings`, { properties: 'x' }, 'properties'],
  ])('rejects %s %s %j', async (method, path, members, subject) => {
    await putAccount()
    await putService()
    await putSite({ appSettings: [{ name: 'A', value: '1' }] })
    const shown = async () => {
      const settings = await send('POST', `${site}/config/appsettings/list`)
      return [settings.json.properties, (await send('GET', account)).json]
    }
    const before = await shown()
    const whole = {
      location: path === service ? 'global' : 'westeurope',
      kind: 'StorageV2',
      sku: { name: 'Standard_LRS' },
    }
    const { status, json } = await send(method, path, { body: method === 'PUT' ? { ...whole, ...members } : members })
    expect([status, json.error.code]).toEqual([400, 'InvalidRequestContent'])
    expect(json.error.message).toContain(subject)
    expect(await shown()).toEqual(before)
  })
})

describe('a storage account', () => {
  it('regenerates one key, and keeps both after a PUT without showing them', async () => {
    await putAccount()
    const { storageAccounts } = clients.storage
    const listed = async () => (await storageAccounts.listKeys('group', 'mappings')).keys!.map(({ value }) => value)
    const [first, second] = await listed()
    const { keys } = await storageAccounts.regenerateKey('group', 'mappings', { keyName: 'key2' })
    const renewed = keys!.map(({ value }) => value)
    expect([renewed[0], renewed[1] === second]).toEqual([first, false])
    expect((await putAccount()).text).not.toContain(first)
    expect((await send('GET', account)).json).not.toHaveProperty('keys')
    expect(await listed()).toEqual(renewed)
    await expect(storageAccounts.regenerateKey('group', 'mappings', { keyName: 'key3' })).rejects.toMatchObject({
      statusCode: 400,
    })
    await storageAccounts.delete('group', 'mappings')
    await putAccount()
    expect(await listed()).not.toContain(first)
  })

  it("checks a name with its provider's messages", async () => {
    const check = (name: string) =>
      clients.storage.storageAccounts.checkNameAvailability({ name, type: 'Microsoft.Storage/storageAccounts' })
    expect(await check('CAPS')).toMatchObject({ nameAvailable: false, reason: 'AccountNameInvalid' })
    await putAccount()
    expect(await check('mappings')).toMatchObject({
      reason: 'AlreadyExists',
      message: 'The storage account named mappings is already taken.',
    })
  })
})

describe('a provider', () => {
  it.each(['GET', 'POST'])("rejects an unknown namespace with ARM's error: %s", async (method) => {
    const path = `/subscriptions/${subscription}/providers/Microsoft.Nothing${method === 'POST' ? '/register' : ''}`
    const { status, json } = await send(method, path)
    expect([status, json.error]).toEqual([
      404,
      { code: 'InvalidResourceNamespace', message: "The resource namespace 'Microsoft.Nothing' is invalid." },
    ])
  })

  it('lists its types with api-versions, newest first', async () => {
    const { resourceTypes, namespace } = await clients.groups.providers.get('microsoft.communication')
    expect(namespace).toBe('Microsoft.Communication')
    expect(resourceTypes).toMatchObject([{ resourceType: 'communicationServices' }])
    expect(resourceTypes![0]!.apiVersions![0]).toBe('2026-03-18')
    const all = await Array.fromAsync(clients.groups.providers.list())
    const types = all.flatMap(({ resourceTypes: own = [] }) => own)
    expect(types.map(({ resourceType }) => resourceType)).toContain('storageAccounts/tableServices/tables')
    expect(types.filter(({ apiVersions }) => !/^\d{4}-\d\d-\d\d/.test(apiVersions?.[0] ?? ''))).toEqual([])
    expect(await clients.groups.providers.register('Microsoft.Storage')).toMatchObject({
      registrationState: 'Registered',
      resourceTypes: expect.arrayContaining([expect.objectContaining({ resourceType: 'storageAccounts' })]),
    })
  })
})

describe('a collection', () => {
  it.each([
    '/tenants',
    '/subscriptions',
    `/subscriptions/${subscription}`,
    `/subscriptions/${subscription}/resources`,
    `/subscriptions/${subscription}/resourceGroups`,
    `${group}/resources`,
    `/subscriptions/${subscription}/providers/Microsoft.Communication/communicationServices`,
    `${providers}/Microsoft.Storage/storageAccounts`,
    `${account}/tableServices/default/tables`,
  ])('allows only GET: %s', async (path) => {
    await putAccount()
    expect((await send('GET', path)).status).toBe(200)
    for (const method of ['PUT', 'PATCH', 'POST', 'DELETE']) {
      const { status, json } = await send(method, path, { body: {} })
      expect([status, json.error]).toEqual([
        405,
        { code: 'MethodNotAllowed', message: `The method ${method} is not allowed at ${path}.` },
      ])
    }
  })
})

describe('a missing resource', () => {
  const name = '11111111-2222-4333-8444-555555555555'
  const details = 'For more details please go to https://aka.ms/ARMResourceNotFoundFix'
  it.each([
    [
      'service',
      service,
      'ResourceNotFound',
      `The Resource 'Microsoft.Communication/communicationServices/calls' under resource group 'group' was not found. ${details}`,
    ],
    [
      'role assignment',
      `${account}/providers/Microsoft.Authorization/roleAssignments/${name}`,
      'RoleAssignmentNotFound',
      `The role assignment '${name}' is not found.`,
    ],
    [
      'container',
      `${account}/blobServices/default/containers/packages`,
      'ContainerNotFound',
      'The specified container does not exist.',
    ],
    ['table', `${account}/tableServices/default/tables/abc`, 'TableNotFound', 'The table specified does not exist.'],
    [
      'child of a missing account',
      `${account.replace('mappings', 'none')}/blobServices/default/containers/packages`,
      'ParentResourceNotFound',
      `Failed to perform 'read' on resource(s) of type 'storageAccounts/blobServices/containers', because the parent resource '${account.replace('mappings', 'none')}' could not be found.`,
    ],
    [
      'configuration',
      `${site}/config/nothing`,
      'ResourceNotFound',
      `The Resource 'Microsoft.Web/sites/site/config/nothing' under resource group 'group' was not found. ${details}`,
    ],
    ['group', service.replace('group/', 'none/'), 'ResourceGroupNotFound', "Resource group 'none' could not be found."],
  ])('reports a missing %s by its type', async (_, path, code, message) => {
    await putAccount()
    await putSite()
    const { status, json } = await send('GET', path)
    expect([status, json.error]).toEqual([404, { code, message }])
  })

  it('reports the scope if that is missing', async () => {
    const role = `${account}/providers/Microsoft.Authorization/roleAssignments/${name}`
    const properties = { roleDefinitionId: '/x', principalId: name }
    const { status, json } = await send('PUT', role, { body: { properties } })
    expect([status, json.error.code]).toEqual([404, 'ResourceNotFound'])
  })
})

describe('response headers', () => {
  it('sends those of the resource manager, even with an error', async () => {
    await putAccount()
    const { headers } = await send('GET', account)
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-cache',
      'content-type': 'application/json; charset=utf-8',
      expires: '-1',
      pragma: 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-ms-ratelimit-remaining-subscription-reads': '11999',
      'x-ms-request-id': expect.stringMatching(/^[\da-f-]{36}$/),
      'x-ms-routing-request-id': expect.stringMatching(/^EMULATOR:\d{8}T\d{6}Z:[\da-f-]{36}$/),
    })
    expect(headers.get('x-ms-routing-request-id')).toContain(headers.get('x-ms-correlation-request-id'))
    expect(headers.get('X-Azure-Ref')).toBeNull()
    const missing = await send('GET', service)
    expect(missing.headers.get('Content-Type')).toBe('application/json; charset=utf-8')
    expect(missing.headers.get('Content-Length')).toBe(String(missing.text.length))
    expect(missing.headers.get('x-ms-request-id')).toMatch(/^[\da-f-]{36}$/)
    const rejected = await send('DELETE', account, { token: null })
    expect([rejected.status, rejected.headers.get('x-ms-ratelimit-remaining-subscription-deletes')]).toEqual([
      401,
      '14999',
    ])
    expect((await putAccount()).headers.get('x-ms-ratelimit-remaining-subscription-writes')).toBe('1199')
  })
})

it("lets Azure's client follow the links of a deletion", async () => {
  await putService()
  const poller = await clients.communication.communicationServices.beginDelete('group', 'calls', quick)
  await poller.pollUntilDone()
  expect((await send('GET', service)).status).toBe(404)
})

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { settings } from '@acs-kit/service-settings'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import type { ServiceSettings } from '../app-settings.ts'
import { roles } from '../site-identity.ts'
import { deploy, getSettings, group, issuers, type Registered } from './deploy-program.ts'

it('creates what a token service needs, and nothing that outlives a destroy', async () => {
  const { registered } = await deploy()
  const types = registered.map(({ type }) => type).filter((type) => type.startsWith('azure-native:'))
  expect(types.toSorted()).toEqual([
    'azure-native:authorization:RoleAssignment',
    'azure-native:communication:CommunicationService',
    'azure-native:managedidentity:UserAssignedIdentity',
    'azure-native:resources:ResourceGroup',
    'azure-native:storage:StorageAccount',
    'azure-native:storage:Table',
    'azure-native:web:AppServicePlan',
    'azure-native:web:WebApp',
    'azure-native:web:WebAppDiagnosticLogsConfiguration',
    'azure-native:web:WebAppFtpAllowed',
    'azure-native:web:WebAppScmAllowed',
  ])
})

it('creates a global communication service and passes its connection strings to the site', async () => {
  const { one, outputs } = await deploy({ dataLocation: 'Europe' })
  expect(one('communication:CommunicationService')).toMatchObject({
    location: 'global',
    dataLocation: 'Europe',
    disableLocalAuth: false,
    publicNetworkAccess: 'Enabled',
  })
  const site = one('web:WebApp')
  expect(getSettings(site)).toEqual({
    SIGN_IN_ISSUERS: JSON.stringify(issuers),
    COMMUNICATION_SERVICES_CONNECTION_STRING: 'endpoint=https://calls;accesskey=key-1',
    COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: 'endpoint=https://calls;accesskey=key-2',
    COMMUNICATION_SERVICES_RESOURCE_ID: 'immutable',
    AZURE_CLIENT_ID: 'client',
    IDENTITY_STORE_ENDPOINT: 'https://map.table.core.windows.net/',
    IDENTITY_STORE_TABLE: 'identities-made',
    INSTANCES: '1',
    TRUSTED_PROXIES: '1',
  })
  expect(site['siteConfig']).toMatchObject({
    alwaysOn: true,
    ftpsState: 'Disabled',
    healthCheckPath: '/healthz',
    linuxFxVersion: 'NODE|24-lts',
  })
  expect(site['httpsOnly']).toBe(true)
  const secrets = Object.entries(outputs)
    .filter(([, { isSecret }]) => isSecret)
    .map(([name]) => name)
  expect(secrets.toSorted()).toEqual(['connectionString', 'primaryKey', 'secondaryConnectionString', 'secondaryKey'])
  expect(outputs['communicationEndpoint']!.value).toBe('https://calls.communication.azure.com/')
  expect(outputs['tokenServiceUrl']!.value).toBe('https://site.azurewebsites.net')
  expect(outputs['beforeDestroy']!.value).toContain('phone numbers')
})

it('passes the connection string with the active key first', async () => {
  const { one, outputs } = await deploy({ activeKey: 'secondary' })
  expect(getSettings(one('web:WebApp'))).toMatchObject({
    COMMUNICATION_SERVICES_CONNECTION_STRING: 'endpoint=https://calls;accesskey=key-2',
    COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: 'endpoint=https://calls;accesskey=key-1',
  })
  expect(outputs).toMatchObject({
    activeKey: { value: 'secondary' },
    connectionString: { value: 'endpoint=https://calls;accesskey=key-1' },
    secondaryConnectionString: { value: 'endpoint=https://calls;accesskey=key-2' },
  })
})

it('uses a role instead of access keys if keyless', async () => {
  const { one, registered, calls, outputs } = await deploy({ keyless: true })
  expect(calls).not.toContain('azure-native:communication:listCommunicationServiceKeys')
  expect(Object.entries(outputs).filter(([name]) => /key|connectionString/i.test(name))).toEqual([])
  expect(one('communication:CommunicationService')['disableLocalAuth']).toBe(true)
  const site = getSettings(one('web:WebApp'))
  expect(site['COMMUNICATION_SERVICES_ENDPOINT']).toBe('https://calls.communication.azure.com/')
  expect(JSON.stringify(site)).not.toContain('key-')
  expect(getAssignments(registered)).toEqual({
    'acs-kit-dev-tables': ['storage/Table/identities', roles['Storage Table Data Contributor']],
    'acs-kit-dev-communication': ['communication/CommunicationService/acs-kit-dev', 'acs-kit-dev-made'],
  })
})

it('permits a keyless site to issue tokens, but not to delete the resource or to read its keys', async () => {
  const { one } = await deploy({ keyless: true })
  expect(one('authorization:RoleDefinition')).toMatchObject({
    scope: group.split('/resourceGroups')[0],
    assignableScopes: [idFor('resources:ResourceGroup', 'acs-kit-dev')],
    // The group's generated name makes it unique.
    roleName: 'acs-kit-dev-made token issuer',
    permissions: [
      {
        actions: [
          'Microsoft.Communication/CommunicationServices/Read',
          'Microsoft.Communication/CommunicationServices/Write',
        ],
        notActions: [],
        dataActions: [],
        notDataActions: [],
      },
    ],
  })
})

it('gives a site with access keys only the role on the mapping table', async () => {
  const { registered } = await deploy()
  expect(getAssignments(registered)).toEqual({
    'acs-kit-dev-tables': ['storage/Table/identities', roles['Storage Table Data Contributor']],
  })
})

it('locks what a protected stack must not lose', async () => {
  const { registered } = await deploy({ protect: true })
  const locks = registered.filter(({ type }) => type === 'azure-native:authorization:ManagementLockByScope')
  const byName = Object.fromEntries(
    locks.map(({ name, inputs: { scope, level, lockName } }) => [name, [scope, level, lockName]]),
  )
  expect(byName).toEqual({
    'acs-kit-dev-communication': [
      idFor('communication:CommunicationService', 'acs-kit-dev'),
      'CanNotDelete',
      'acs-kit-protect',
    ],
    'acs-kit-dev-mappings': [idFor('storage:StorageAccount', 'acskitdevmap'), 'CanNotDelete', 'acs-kit-protect'],
  })
})

/** Returns the scopes and roles of the assignments, by their names in the program. */
function getAssignments(registered: readonly Registered[]) {
  const assignments = registered.filter(({ type }) => type === 'azure-native:authorization:RoleAssignment')
  return Object.fromEntries(
    assignments.map(({ name, inputs: { scope, roleDefinitionId, principalType } }) => {
      expect(principalType).toBe('ServicePrincipal')
      return [name, [scope.split('/').slice(-3).join('/'), roleDefinitionId.split('/').at(-1)]]
    }),
  )
}

it('restricts network access to the communication service, and not to the mapping table', async () => {
  const { one } = await deploy({ publicNetworkAccess: 'Disabled' })
  expect(one('communication:CommunicationService')['publicNetworkAccess']).toBe('Disabled')
  expect(one('storage:StorageAccount')).not.toHaveProperty('publicNetworkAccess')
})

it('disables the keys of the identity store', async () => {
  const { one } = await deploy()
  expect(one('storage:StorageAccount')).toMatchObject({
    allowSharedKeyAccess: false,
    allowBlobPublicAccess: false,
    minimumTlsVersion: 'TLS1_2',
  })
})

it('runs a fixed number of instances, in zones and with redundant storage if requested', async () => {
  const { one, registered } = await deploy({ sku: 'P0v3', instances: 3, zoneRedundant: true, redundancy: 'GZRS' })
  expect(one('web:AppServicePlan')).toMatchObject({ sku: { name: 'P0v3', capacity: 3 }, zoneRedundant: true })
  expect(one('storage:StorageAccount')['sku']).toEqual({ name: 'Standard_GZRS' })
  expect(getSettings(one('web:WebApp'))['INSTANCES']).toBe('3')
  expect(registered.map(({ type }) => type)).not.toContain('azure-native:monitor:AutoscaleSetting')
})

it('scales the plan by the load of its processors, from the minimum to the maximum', async () => {
  const { one } = await deploy({ sku: 'S1', instances: { min: 2, max: 5 }, tags: { team: 'a' } })
  expect(one('web:AppServicePlan')).toMatchObject({ sku: { name: 'S1', capacity: 2 }, zoneRedundant: false })
  const plan = idFor('web:AppServicePlan', 'acs-kit-dev')
  const rule = (direction: string, operator: string) => ({
    metricTrigger: expect.objectContaining({ metricName: 'CpuPercentage', metricResourceUri: plan, operator }),
    scaleAction: expect.objectContaining({ direction, value: '1' }),
  })
  expect(one('monitor:AutoscaleSetting')).toMatchObject({
    enabled: true,
    targetResourceUri: plan,
    tags: { team: 'a' },
    profiles: [
      {
        capacity: { minimum: '2', maximum: '5', default: '2' },
        rules: [rule('Increase', 'GreaterThan'), rule('Decrease', 'LessThan')],
      },
    ],
  })
  expect(getSettings(one('web:WebApp'))['INSTANCES']).toBe('5')
})

it('names a package and its resource by its content', async () => {
  const { registered, describeComponent, packageUrl } = await deployPackage()
  const digest = createHash('sha256').update('content').digest('hex').slice(0, 16)
  const name = `token-service-${digest}.zip`
  expect(registered.find(({ type }) => type === 'azure-native:storage:Blob')!.inputs['blobName']).toBe(name)
  expect(packageUrl).toBe(`https://pkg.blob.core.windows.net/packages-made/${name}-made`)
  expect(await describeComponent('acs-kit:storage:PackageStore')).toEqual({
    name: 'pkg',
    children: {
      account: 'azure-native:storage:StorageAccount pkg',
      container: 'azure-native:storage:BlobContainer packages',
      blob: `azure-native:storage:Blob ${name}`,
    },
    outputs: { packageUrl },
  })
})

async function deployPackage() {
  const packagePath = join(temporaryFolder(), 'a.zip')
  writeFileSync(packagePath, 'content')
  const deployed = await deploy()
  const { PackageStore } = await import('../package-store.ts')
  const store = new PackageStore('pkg', { resourceGroupName: 'group', tags: {}, redundancy: 'LRS', packagePath })
  return { ...deployed, packageUrl: await new Promise((resolve) => store.packageUrl.apply(resolve)) }
}

const idFor = (type: string, name: string) => `${group}/providers/${type.replace(':', '/')}/${name}`

it.each([
  [
    'acs-kit:communication:CommunicationServices',
    {
      name: 'acs-kit-dev',
      children: { service: 'azure-native:communication:CommunicationService acs-kit-dev' },
      outputs: {
        id: idFor('communication:CommunicationService', 'acs-kit-dev'),
        endpoint: 'https://calls.communication.azure.com/',
        immutableResourceId: 'immutable',
        connectionString: 'endpoint=https://calls;accesskey=key-1',
        secondaryConnectionString: 'endpoint=https://calls;accesskey=key-2',
        primaryKey: 'key-1',
        secondaryKey: 'key-2',
      },
    },
  ],
  [
    'acs-kit:storage:IdentityStore',
    {
      name: 'acskitdevmap',
      children: {
        account: 'azure-native:storage:StorageAccount acskitdevmap',
        table: 'azure-native:storage:Table identities',
      },
      outputs: { endpoint: 'https://map.table.core.windows.net/' },
    },
  ],
  [
    'acs-kit:identity:SiteIdentity',
    {
      name: 'acs-kit-dev',
      children: {
        userAssignedIdentity: 'azure-native:managedidentity:UserAssignedIdentity acs-kit-dev',
        assignments: ['azure-native:authorization:RoleAssignment acs-kit-dev-tables'],
      },
      outputs: { id: idFor('managedidentity:UserAssignedIdentity', 'acs-kit-dev'), clientId: 'client' },
    },
  ],
  [
    'acs-kit:web:TokenServiceSite',
    {
      name: 'acs-kit-dev',
      children: {
        plan: 'azure-native:web:AppServicePlan acs-kit-dev',
        webApp: 'azure-native:web:WebApp acs-kit-dev',
        scmAllowed: 'azure-native:web:WebAppScmAllowed acs-kit-dev',
        ftpAllowed: 'azure-native:web:WebAppFtpAllowed acs-kit-dev',
        logs: 'azure-native:web:WebAppDiagnosticLogsConfiguration acs-kit-dev',
      },
      outputs: { url: 'https://site.azurewebsites.net' },
    },
  ],
])('exposes and registers the children and outputs of %s', async (type, expected) => {
  const { describeComponent } = await deploy()
  expect(await describeComponent(type)).toEqual(expected)
})

it('decides on every setting of the service', async () => {
  await deploy()
  const { serviceSettings } = await import('../app-settings.ts')
  const decided = serviceSettings({
    config: { keyless: false, issuers, allowedOrigins: [] },
    communication: {},
    store: {},
    identity: {},
  } as never)
  expect(Object.keys(decided).toSorted()).toEqual(Object.keys(settings).toSorted())
  const { SIGN_IN_ISSUERS: _, ...others } = decided
  // @ts-expect-error -- a missing setting is a compile error
  const incomplete: ServiceSettings = others
  expect(incomplete).not.toHaveProperty('SIGN_IN_ISSUERS')
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import { roles } from '../site-identity.ts'
import { deploy, type Registered } from './deploy-program.ts'

/** Inputs that name, place, size or describe a resource, and so do not affect its security. */
const neutral = new Set(
  [
    'resourceGroupName accountName containerName blobName name location tags sku kind dataLocation reserved zoneRedundant',
    'isXenon hyperV scmSiteAlsoStopped serverFarmId source type contentType appSettings appCommandLine linuxFxVersion',
    'netFrameworkVersion localMySqlEnabled alwaysOn healthCheckPath clientAffinityEnabled targetResourceUri profiles',
    'enabled principalId roleName description lockName notes',
  ].flatMap((names) => names.split(' ')),
)

/** Describes all other inputs of a resource, one text each, so that a new one fails the test until it is listed here. */
function describeSecurity({ type, isProtected, inputs }: Registered): string[] {
  const { siteConfig, roleDefinitionId, scope, assignableScopes, ...rest } = inputs
  const settings = {
    ...rest,
    ...(siteConfig as object | undefined),
    ...describeScope(roleDefinitionId, scope),
    assignableScopes: (assignableScopes as string[] | undefined)?.map(toResource),
  }
  const listed = Object.entries(settings).filter(([name, value]) => value !== undefined && !neutral.has(name))
  const texts = listed.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return [...texts, ...(isProtected ? ['protect'] : [])].map((text) => `${type} ${text}`)
}

function describeScope(id: unknown, scope: unknown): object {
  if (typeof scope !== 'string') return {}
  if (typeof id !== 'string') return { scope: toResource(scope) }
  const role = Object.entries(roles).find(([, guid]) => id.endsWith(guid))?.[0]
  return { role: `${role ?? `custom role ${id.split('/').at(-1)}`} on ${toResource(scope)}` }
}

/** Returns the type and name of a resource by its id. */
function toResource(id: string): string {
  return id.split('/').slice(-2).join(' ')
}

async function listSecurity(config: Record<string, unknown>): Promise<string[]> {
  const packagePath = join(temporaryFolder(), 'a.zip')
  writeFileSync(packagePath, 'content')
  const { azureResources } = await deploy(config)
  const { PackageStore } = await import('../package-store.ts')
  const store = new PackageStore('pkg', { resourceGroupName: 'group', tags: {}, redundancy: 'LRS', packagePath })
  await new Promise((resolve) => store.packageUrl.apply(resolve))
  return azureResources().flatMap(describeSecurity).toSorted()
}

const storageAccount = [
  'storage:StorageAccount allowBlobPublicAccess: false',
  'storage:StorageAccount allowCrossTenantReplication: false',
  'storage:StorageAccount enableHttpsTrafficOnly: true',
  'storage:StorageAccount minimumTlsVersion: TLS1_2',
]

const always = [
  'communication:CommunicationService publicNetworkAccess: Enabled',
  // The mapping, and the package, whose keys upload it.
  ...storageAccount,
  ...storageAccount,
  'storage:StorageAccount allowSharedKeyAccess: false',
  'storage:BlobContainer publicAccess: None',
  'authorization:RoleAssignment principalType: ServicePrincipal',
  'authorization:RoleAssignment role: Storage Table Data Contributor on Table identities',
  'web:WebApp ftpsState: Disabled',
  'web:WebApp http20Enabled: true',
  'web:WebApp httpsOnly: true',
  'web:WebApp identity: {"type":"UserAssigned","userAssignedIdentities":["<identity>"]}',
  'web:WebApp minTlsVersion: 1.2',
  'web:WebApp remoteDebuggingEnabled: false',
  'web:WebApp scmMinTlsVersion: 1.2',
  'web:WebAppDiagnosticLogsConfiguration httpLogs: {"fileSystem":{"enabled":true,"retentionInDays":7,"retentionInMb":100}}',
  'web:WebAppFtpAllowed allow: false',
  'web:WebAppScmAllowed allow: false',
]

const withKeys = ['communication:CommunicationService disableLocalAuth: false']

const keylessAndProtected = [
  'communication:CommunicationService disableLocalAuth: true',
  'communication:CommunicationService protect',
  'storage:StorageAccount protect',
  'storage:Table protect',
  'authorization:RoleAssignment principalType: ServicePrincipal',
  'authorization:RoleAssignment role: custom role acs-kit-dev-made on CommunicationService acs-kit-dev',
  'authorization:RoleDefinition assignableScopes: ["ResourceGroup acs-kit-dev"]',
  // Neither delete, nor ListKeys, nor RegenerateKey.
  'authorization:RoleDefinition permissions: [{"actions":["Microsoft.Communication/CommunicationServices/Read","Microsoft.Communication/CommunicationServices/Write"],"dataActions":[],"notActions":[],"notDataActions":[]}]',
  'authorization:RoleDefinition scope: subscriptions 11111111-2222-4333-8444-555555555555',
  'authorization:ManagementLockByScope level: CanNotDelete',
  'authorization:ManagementLockByScope level: CanNotDelete',
  'authorization:ManagementLockByScope scope: CommunicationService acs-kit-dev',
  'authorization:ManagementLockByScope scope: StorageAccount acskitdevmap',
]

it.each([
  ['with keys', {}, withKeys],
  ['keyless and protected', { keyless: true, protect: true }, keylessAndProtected],
])('sets exactly these security-relevant properties: %s', async (_name, config, more) => {
  const listed = await listSecurity({ ...config, sku: 'P0v3', instances: { min: 2, max: 3 }, zoneRedundant: true })
  const withoutIds = listed.map((text) => text.replace(/\["[^"]+userassignedidentity[^"]*"\]/i, '["<identity>"]'))
  expect(withoutIds).toEqual([...always, ...more].toSorted())
})

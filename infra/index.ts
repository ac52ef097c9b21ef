import { fileURLToPath } from 'node:url'
import { ResourceGroup } from '@pulumi/azure-native/resources/resourceGroup.js'
import { Config, getProject, getStack, output, runtime } from '@pulumi/pulumi'
import { serviceSettings } from './app-settings.ts'
import { CommunicationServices } from './communication-services.ts'
import { parseConfig } from './config.ts'
import { createDeletionLocks } from './deletion-locks.ts'
import { IdentityStore } from './identity-store.ts'
import { createIssuerRole } from './issuer-role.ts'
import { resourceNames } from './naming.ts'
import { PackageStore } from './package-store.ts'
import { SiteIdentity, type Grant } from './site-identity.ts'
import { TokenServiceSite } from './token-service-site.ts'

// Pulumi exports it without declaring it.
const { isConfigSecret } = runtime as unknown as { readonly isConfigSecret: (name: string) => boolean }
const prefix = `${getProject()}:`
const options = Object.entries(runtime.allConfig()).filter(([name]) => name.startsWith(prefix))
const config = parseConfig({
  stack: getStack(),
  options: Object.fromEntries(options.map(([name, value]) => [name.slice(prefix.length), value])),
  location: new Config('azure-native').get('location'),
  packagePath: fileURLToPath(new URL('../apps/token-service/dist.zip', import.meta.url)),
})
const names = resourceNames(getProject(), getStack())
const { tags, protect, keyless, redundancy, packagePath } = config

const group = new ResourceGroup(names.base, { tags })
const common = { resourceGroupName: group.name, tags }
const communication = new CommunicationServices(names.base, {
  ...common,
  dataLocation: config.dataLocation,
  keyless,
  publicNetworkAccess: config.publicNetworkAccess,
  protect,
})
const store = new IdentityStore(names.storage('map'), { ...common, redundancy, protect })
const packages = config.deployPackage
  ? new PackageStore(names.storage('pkg'), { ...common, redundancy, packagePath })
  : undefined
const grants: Grant[] = [{ name: 'tables', role: 'Storage Table Data Contributor', scope: store.table.id }]
if (packages) grants.push({ name: 'package', role: 'Storage Blob Data Reader', scope: packages.account.id })
if (keyless) {
  const role = createIssuerRole(names.base, { resourceGroupId: group.id, resourceGroupName: group.name })
  grants.push({ name: 'communication', role, scope: communication.service.id })
}
const identity = new SiteIdentity(names.base, { ...common, grants })
if (protect) {
  createDeletionLocks(names.base, {
    scopes: { communication: communication.service.id, mappings: store.account.id },
    contents: [store.table, ...identity.assignments],
  })
}
const site = new TokenServiceSite(names.base, {
  ...common,
  sku: config.sku,
  instances: config.instances,
  zoneRedundant: config.zoneRedundant,
  logRetentionDays: config.logRetentionDays,
  identity,
  settings: serviceSettings({
    config,
    communication,
    store: { endpoint: store.endpoint, table: store.table.name },
    identity,
  }),
  hasSecretOption: options.some(([name]) => isConfigSecret(name)),
  packageUrl: packages?.packageUrl,
})

export const resourceGroup = group.name
export const communicationService = communication.service.name
export const communicationEndpoint = communication.endpoint
export const resourceId = communication.immutableResourceId
export const connectionString = communication.connectionString
export const secondaryConnectionString = communication.secondaryConnectionString
export const primaryKey = communication.primaryKey
export const secondaryKey = communication.secondaryKey
/** Shows `npm run rotate` which key the deployed service prefers. */
export const activeKey = keyless ? undefined : output(config.activeKey)
export const mappingTable = store.table.name
export const mappingTableEndpoint = store.endpoint
export const tokenServiceUrl = site.url
export const tokenServiceName = site.webApp.name
/** Shown by `pulumi up`, because `pulumi destroy` does not run the program. */
export const beforeDestroy = output('release the phone numbers of the ACS resource, or their charges can continue')

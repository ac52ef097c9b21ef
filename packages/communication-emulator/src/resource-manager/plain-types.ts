import { randomBytes } from 'node:crypto'
import { guidOf, servicePrincipalOf, wellKnownTenantId } from '../entra/tenant.ts'
import { ArmError, invalid } from './arm-error.ts'
import { invalidContent } from './arm-request.ts'
import { siteName, storageAccountName } from './global-names.ts'
import { isObject } from './merge-patch.ts'
import type { ResourceId } from './resource-id.ts'
import type { ActionContext, Envelope, ResourceType } from './resource-types.ts'

/** The types that are kept and shown, and do nothing; tables may be served elsewhere. */
export const plainTypes = (
  tableEndpoint: () => string | undefined,
  tableKeys: () => readonly string[] | undefined,
): readonly ResourceType[] => [
  {
    type: 'Microsoft.Resources/resourceGroups',
    listedApiVersion: '2024-03-01',
    pattern: /^[-\w.()]{1,90}$/,
    put: needLocation,
  },
  {
    type: 'Microsoft.Storage/storageAccounts',
    listedApiVersion: '2024-01-01',
    createdStatus: 200,
    globalName: storageAccountName,
    pattern: /^[a-z\d]{3,24}$/,
    put(id, asked, before) {
      needLocation(id, asked)
      const { sku, kind } = asked
      if (!sku || typeof kind !== 'string')
        throw invalid('InvalidRequestContent', 'A storage account needs sku and kind.')
      return { ...asked, [keysMember]: before?.[keysMember] }
    },
    show: ({ id, envelope }) => {
      const { [keysMember]: _, properties, ...shown } = envelope
      const primaryEndpoints = endpointsOf(id.name, tableEndpoint())
      return { ...shown, properties: { allowSharedKeyAccess: true, ...properties, primaryEndpoints } }
    },
    actions: {
      listkeys: (context) => ({ status: 200, body: { keys: servedKeys(tableKeys()) ?? storageKeys(context) } }),
      regeneratekey(context) {
        if (tableKeys()) {
          throw new ArmError(409, 'OperationNotAllowed', 'The service behind the tables cannot regenerate its keys.')
        }
        const { keyName } = context.body
        const keys = storageKeys(context)
        if (!keys.some((key) => key.keyName === keyName)) {
          throw invalid('InvalidRequestContent', 'keyName must be key1 or key2.')
        }
        const renewed = keys.map((key) => (key.keyName === keyName ? drawKey(key.keyName) : key))
        context.save({ ...context.resource.envelope, [keysMember]: renewed })
        return { status: 200, body: { keys: renewed } }
      },
    },
  },
  { type: 'Microsoft.Storage/storageAccounts/blobServices', listedApiVersion: '2024-01-01', isImplicit: true },
  {
    type: 'Microsoft.Storage/storageAccounts/blobServices/containers',
    listedApiVersion: '2024-01-01',
    pattern: /^[a-z\d](?:-?[a-z\d]){2,62}$/,
    missing: () => new ArmError(404, 'ContainerNotFound', 'The specified container does not exist.'),
  },
  { type: 'Microsoft.Storage/storageAccounts/tableServices', listedApiVersion: '2024-01-01', isImplicit: true },
  {
    type: 'Microsoft.Storage/storageAccounts/tableServices/tables',
    listedApiVersion: '2024-01-01',
    // guess(table-not-found)
    missing: () => new ArmError(404, 'TableNotFound', 'The table specified does not exist.'),
    createdStatus: 200,
    deletedStatus: 204,
    pattern: /^[A-Za-z][A-Za-z\d]{2,62}$/,
    show: ({ id, envelope }) => ({ ...envelope, properties: { ...envelope.properties, tableName: id.name } }),
  },
  {
    type: 'Microsoft.ManagedIdentity/userAssignedIdentities',
    listedApiVersion: '2023-01-31',
    put: needLocation,
    show: ({ id, envelope }) => {
      const clientId = guidOf('managed identity', id.key)
      const properties = { tenantId: wellKnownTenantId, principalId: servicePrincipalOf(clientId), clientId }
      return { ...envelope, properties }
    },
  },
  {
    type: 'Microsoft.Authorization/roleAssignments',
    listedApiVersion: '2022-04-01',
    missing: ({ name }) => new ArmError(404, 'RoleAssignmentNotFound', `The role assignment '${name}' is not found.`),
    pattern: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i,
    put({ parent }, { properties = {} }) {
      const { roleDefinitionId, principalId, principalType = 'User' } = properties
      if (typeof roleDefinitionId !== 'string' || typeof principalId !== 'string') {
        throw invalid('InvalidRequestContent', 'A role assignment needs roleDefinitionId and principalId.')
      }
      return { properties: { ...properties, principalType, scope: parent } }
    },
  },
  {
    type: 'Microsoft.Web/serverfarms',
    listedApiVersion: '2025-05-01',
    createdStatus: 200,
    pattern: /^[-\w]{1,60}$/,
    put: needLocation,
  },
  {
    type: 'Microsoft.Web/sites',
    listedApiVersion: '2025-05-01',
    createdStatus: 200,
    globalName: siteName,
    pattern: /^[-a-zA-Z\d]{2,60}$/,
    inherit(asked, before) {
      const { appSettings = siteConfigOf(before).appSettings, ...siteConfig } = siteConfigOf(asked)
      return appSettings ? withSiteConfig(asked, { ...siteConfig, appSettings }) : asked
    },
    put(id, asked) {
      checkSiteConfig(asked.properties?.['siteConfig'])
      return needLocation(id, asked)
    },
    // App settings are told by their own action only, since they may be secrets.
    show: ({ id, envelope }) => {
      const { siteConfig: _, ...properties } = envelope.properties ?? {}
      return {
        ...envelope,
        properties: { ...properties, state: 'Running', defaultHostName: `${id.name}.azurewebsites.localhost` },
      }
    },
  },
  {
    type: 'Microsoft.Web/sites/config',
    listedApiVersion: '2025-05-01',
    createdStatus: 200,
    view: ({ name }, { envelope }) => {
      const siteConfig = siteConfigOf(envelope)
      const settings = siteConfig.appSettings ?? []
      if (isNamed(name, 'web')) return { properties: { ...siteConfig, appSettings: null } }
      if (!isNamed(name, 'appsettings')) return undefined
      return { properties: Object.fromEntries(settings.map(({ name: setting, value }) => [setting, value])) }
    },
    writeToParent({ name }, { envelope }, { properties = {} }) {
      const before = siteConfigOf(envelope)
      if (isNamed(name, 'web')) {
        checkSiteConfig(properties)
        return withSiteConfig(envelope, { ...properties, appSettings: properties['appSettings'] ?? before.appSettings })
      }
      if (!isNamed(name, 'appsettings')) return undefined
      const appSettings = Object.entries(properties).map(([setting, value]) => ({
        name: setting,
        value: String(value),
      }))
      return withSiteConfig(envelope, { ...before, appSettings })
    },
    show: ({ id, envelope }) => (isNamed(id.name, 'appsettings') ? { ...envelope, properties: {} } : envelope),
    actions: {
      list: ({ resource: { id, envelope } }) => ({ status: 200, body: { id: id.id, name: id.name, ...envelope } }),
    },
  },
]

interface SiteConfig {
  readonly appSettings?: readonly { readonly name: string; readonly value: string }[]
}

function siteConfigOf({ properties }: Envelope): SiteConfig {
  return properties?.['siteConfig'] ?? {}
}

/** Throws an `ArmError`; null counts as absent. */
function checkSiteConfig(siteConfig: unknown): void {
  if (siteConfig === undefined || siteConfig === null) return
  if (!isObject(siteConfig)) throw invalidContent("'siteConfig' must be an object.")
  const appSettings = siteConfig['appSettings'] ?? []
  if (Array.isArray(appSettings) && appSettings.every(isSetting)) return
  throw invalidContent("'appSettings' must be a list of { name, value }, both strings.")
}

function isSetting(setting: unknown): boolean {
  return isObject(setting) && typeof setting['name'] === 'string' && typeof setting['value'] === 'string'
}

function withSiteConfig(site: Envelope, siteConfig: Readonly<Record<string, unknown>>): Envelope {
  return { ...site, properties: { ...site.properties, siteConfig } }
}

function isNamed(name: string, wanted: string): boolean {
  return name.toLowerCase() === wanted
}

function needLocation({ id }: ResourceId, asked: Envelope): Envelope {
  if (typeof asked.location === 'string' && asked.location !== '') return asked
  throw new ArmError(400, 'LocationRequired', `The location property is required for this definition: ${id}.`)
}

function endpointsOf(account: string, table: string | undefined) {
  const unserved = Object.fromEntries(
    ['blob', 'queue', 'table', 'file'].map((service) => [service, `https://${account}.${service}.storage.localhost/`]),
  )
  return { ...unserved, ...(table !== undefined && { table }) }
}

interface StorageKey {
  readonly creationTime: string
  readonly keyName: string
  readonly permissions: 'FULL'
  readonly value: string
}

/** Member of an account that keeps its keys; never shown. */
const keysMember = 'keys'

/** Keys of the service behind the tables, which open every account. */
function servedKeys(values: readonly string[] | undefined) {
  return values?.map((value, index) => ({ keyName: `key${index + 1}`, permissions: 'FULL' as const, value }))
}

/** Keys of an account, drawn when they are first read. */
function storageKeys({ resource: { envelope }, save }: ActionContext): readonly StorageKey[] {
  const kept = envelope[keysMember] as readonly StorageKey[] | undefined
  if (kept) return kept
  const keys = ['key1', 'key2'].map(drawKey)
  save({ ...envelope, [keysMember]: keys })
  return keys
}

// differs(storage-keys)
function drawKey(keyName: string): StorageKey {
  return {
    creationTime: new Date().toISOString(),
    keyName,
    permissions: 'FULL',
    value: randomBytes(64).toString('base64'),
  }
}

import { createHash } from 'node:crypto'
import { guidOf, servicePrincipalOf, wellKnownTenantId } from '../entra/tenant.ts'
import { ArmError, invalid } from './arm-error.ts'
import type { ResourceId } from './resource-id.ts'
import type { Envelope, ResourceType } from './resource-types.ts'

/** The types that are kept and shown, and do nothing; tables may be served elsewhere. */
export const plainTypes = (tableEndpoint: () => string | undefined): readonly ResourceType[] => [
  { type: 'Microsoft.Resources/resourceGroups', pattern: /^[-\w.()]{1,90}$/, put: needLocation },
  {
    type: 'Microsoft.Storage/storageAccounts',
    createdStatus: 200,
    isNameGlobal: true,
    pattern: /^[a-z\d]{3,24}$/,
    put(id, asked) {
      needLocation(id, asked)
      const { sku, kind } = asked
      if (!sku || typeof kind !== 'string')
        throw invalid('InvalidRequestContent', 'A storage account needs sku and kind.')
      return asked
    },
    show: ({ id, envelope }) => ({
      ...envelope,
      properties: {
        allowSharedKeyAccess: true,
        ...envelope.properties,
        primaryEndpoints: endpointsOf(id.name, tableEndpoint()),
      },
    }),
    actions: {
      // guess(storage-keys): made of the account's id, since nothing here takes them.
      listkeys: ({ resource }) => ({
        status: 200,
        body: {
          keys: ['key1', 'key2'].map((keyName) => ({
            keyName,
            permissions: 'FULL',
            value: keyOf(`${resource.id.key} ${keyName}`),
          })),
        },
      }),
    },
  },
  { type: 'Microsoft.Storage/storageAccounts/blobServices', isImplicit: true },
  { type: 'Microsoft.Storage/storageAccounts/blobServices/containers', pattern: /^[a-z\d](?:-?[a-z\d]){2,62}$/ },
  { type: 'Microsoft.Storage/storageAccounts/tableServices', isImplicit: true },
  {
    type: 'Microsoft.Storage/storageAccounts/tableServices/tables',
    createdStatus: 200,
    deletedStatus: 204,
    pattern: /^[A-Za-z][A-Za-z\d]{2,62}$/,
    show: ({ id, envelope }) => ({ ...envelope, properties: { ...envelope.properties, tableName: id.name } }),
  },
  {
    type: 'Microsoft.ManagedIdentity/userAssignedIdentities',
    put: needLocation,
    show: ({ id, envelope }) => {
      const clientId = guidOf('managed identity', id.key)
      const properties = { tenantId: wellKnownTenantId, principalId: servicePrincipalOf(clientId), clientId }
      return { ...envelope, properties }
    },
  },
  {
    type: 'Microsoft.Authorization/roleAssignments',
    pattern: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i,
    put({ parent }, { properties = {} }) {
      const { roleDefinitionId, principalId, principalType = 'User' } = properties
      if (typeof roleDefinitionId !== 'string' || typeof principalId !== 'string') {
        throw invalid('InvalidRequestContent', 'A role assignment needs roleDefinitionId and principalId.')
      }
      return { properties: { ...properties, principalType, scope: parent } }
    },
  },
  { type: 'Microsoft.Web/serverfarms', createdStatus: 200, pattern: /^[-\w]{1,60}$/, put: needLocation },
  {
    type: 'Microsoft.Web/sites',
    createdStatus: 200,
    isNameGlobal: true,
    pattern: /^[-a-zA-Z\d]{2,60}$/,
    put: needLocation,
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
    view: ({ name }, { envelope }) => {
      const siteConfig = (envelope.properties?.['siteConfig'] ?? {}) as SiteConfig
      const settings = siteConfig.appSettings ?? []
      if (name === 'web') return { properties: { ...siteConfig, appSettings: null } }
      if (name !== 'appsettings') return undefined
      return { properties: Object.fromEntries(settings.map(({ name: setting, value }) => [setting, value])) }
    },
    show: ({ id, envelope }) => (id.name === 'appsettings' ? { ...envelope, properties: {} } : envelope),
    actions: {
      list: ({ resource: { id, envelope } }) => ({ status: 200, body: { id: id.id, name: id.name, ...envelope } }),
    },
  },
]

interface SiteConfig {
  readonly appSettings?: readonly { readonly name: string; readonly value: string }[]
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

function keyOf(text: string): string {
  return createHash('sha512').update(text).digest('base64')
}

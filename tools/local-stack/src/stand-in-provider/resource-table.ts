/** How a resource of azure-native is one of Azure Resource Manager: what the genuine provider has in its metadata. */
export interface ResourceRow {
  readonly apiVersion: string
  /** With its parameters; the last one is the resource's name. */
  readonly path: string
  /** How a name is made up: `logical` and eight hex digits, the logical name as it is, or a UUID. */
  readonly naming: 'random' | 'copy' | 'uuid'
  /** Inputs beside `properties` in the body. */
  readonly top: readonly string[]
  /** Inputs that can't be changed, beside the path's parameters and the location. */
  readonly fixed?: readonly string[]
  /** Inputs whose name in the body is another. */
  readonly renamed?: Readonly<Record<string, string>>
  /** Outputs that can't be inputs, next to those that every type has. */
  readonly readOnly?: readonly string[]
  /** Inputs that a GET never shows. */
  readonly hidden?: readonly string[]
}

const group = '/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}'
const tracked = ['location', 'tags']

/** Extend it for further types; the api-versions are those that azure-native 3.28 uses by default. */
export const resourceTable: Readonly<Record<string, ResourceRow>> = {
  'azure-native:resources:ResourceGroup': {
    apiVersion: '2024-03-01',
    path: group,
    naming: 'random',
    top: [...tracked, 'managedBy'],
  },
  'azure-native:communication:CommunicationService': {
    apiVersion: '2026-03-18',
    path: `${group}/providers/Microsoft.Communication/communicationServices/{communicationServiceName}`,
    naming: 'random',
    top: [...tracked, 'identity'],
    fixed: ['dataLocation'],
    readOnly: ['hostName', 'immutableResourceId', 'notificationHubId', 'version'],
  },
  'azure-native:storage:StorageAccount': {
    apiVersion: '2024-01-01',
    path: `${group}/providers/Microsoft.Storage/storageAccounts/{accountName}`,
    naming: 'random',
    top: [...tracked, 'identity', 'sku', 'kind'],
    renamed: { enableHttpsTrafficOnly: 'supportsHttpsTrafficOnly' },
    readOnly: [
      'accountMigrationInProgress',
      'blobRestoreStatus',
      'creationTime',
      'failoverInProgress',
      'geoReplicationStats',
      'isSkuConversionBlocked',
      'keyCreationTime',
      'lastGeoFailoverTime',
      'primaryEndpoints',
      'primaryLocation',
      'privateEndpointConnections',
      'secondaryEndpoints',
      'secondaryLocation',
      'statusOfPrimary',
      'statusOfSecondary',
      'storageAccountSkuConversionStatus',
    ],
  },
  'azure-native:storage:Table': {
    apiVersion: '2024-01-01',
    path: `${group}/providers/Microsoft.Storage/storageAccounts/{accountName}/tableServices/default/tables/{tableName}`,
    naming: 'copy',
    top: [],
  },
  'azure-native:managedidentity:UserAssignedIdentity': {
    apiVersion: '2023-01-31',
    path: `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}`,
    naming: 'random',
    top: tracked,
    readOnly: ['clientId', 'principalId', 'tenantId'],
  },
  'azure-native:authorization:RoleAssignment': {
    apiVersion: '2022-04-01',
    path: '{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}',
    naming: 'uuid',
    top: [],
    fixed: ['principalId'],
    readOnly: ['createdBy', 'createdOn', 'updatedBy', 'updatedOn'],
  },
  'azure-native:web:AppServicePlan': {
    apiVersion: '2025-05-01',
    path: `${group}/providers/Microsoft.Web/serverfarms/{name}`,
    naming: 'random',
    top: [...tracked, 'kind', 'sku'],
    fixed: ['reserved'],
    readOnly: [
      'geoRegion',
      'maximumNumberOfWorkers',
      'numberOfSites',
      'numberOfWorkers',
      'resourceGroup',
      'status',
      'subscription',
    ],
  },
  'azure-native:web:WebApp': {
    apiVersion: '2025-05-01',
    path: `${group}/providers/Microsoft.Web/sites/{name}`,
    naming: 'random',
    top: [...tracked, 'kind', 'identity'],
    fixed: ['kind'],
    readOnly: [
      'availabilityState',
      'defaultHostName',
      'enabledHostNames',
      'hostNames',
      'inProgressOperationId',
      'isDefaultContainer',
      'lastModifiedTimeUtc',
      'maxNumberOfWorkers',
      'outboundIpAddresses',
      'possibleOutboundIpAddresses',
      'repositorySiteName',
      'resourceGroup',
      'sku',
      'slotSwapStatus',
      'state',
      'suspendedTill',
      'targetSwapSlot',
      'trafficManagerHostNames',
      'usageState',
    ],
    // It has the app settings, which may be secrets.
    hidden: ['siteConfig'],
  },
}

export interface InvokeRow {
  readonly apiVersion: string
  /** Asked by POST. */
  readonly path: string
}

export const invokeTable: Readonly<Record<string, InvokeRow>> = {
  'azure-native:communication:listCommunicationServiceKeys': {
    apiVersion: '2026-03-18',
    path: `${group}/providers/Microsoft.Communication/communicationServices/{communicationServiceName}/listKeys`,
  },
}

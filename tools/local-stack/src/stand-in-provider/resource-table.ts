/** Maps a type of azure-native to Azure Resource Manager, like the genuine provider's metadata. */
export interface ResourceRow {
  /** Undefined for a blob, which is not a resource of the resource manager. */
  readonly apiVersion?: string
  /** Path with parameters; the last one is the resource's name. */
  readonly path: string
  /** How names are generated: logical name alone, or UUID. Default: logical name and eight hex digits. */
  readonly naming?: 'copy' | 'uuid'
  /** Inputs that are next to `properties` in the body. */
  readonly top?: readonly string[]
  /** Inputs whose change replaces the resource, in addition to the path's parameters and the location. */
  readonly fixed?: readonly string[]
  /** Inputs that have another name in the body. */
  readonly renamed?: Readonly<Record<string, string>>
  /** Inputs that reset a part of a resource, which always exists: creating it adopts the part, and deleting it resets the part. */
  readonly defaults?: Readonly<Record<string, unknown>>
  /** Properties that a GET of another path below the resource returns, such as a site's `config/web`. */
  readonly parts?: Readonly<Record<string, string>>
  /** Query of a DELETE, in addition to the api-version. */
  readonly deleteQuery?: Readonly<Record<string, string>>
}

const group = '/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}'
const containerPath = `${group}/providers/Microsoft.Storage/storageAccounts/{accountName}/blobServices/default/containers/{containerName}`
const tracked = ['location', 'tags']

/** The api-versions are the defaults of azure-native 3.28. Add a row for each further type. */
export const resourceTable: Readonly<Record<string, ResourceRow>> = {
  'azure-native:resources:ResourceGroup': {
    apiVersion: '2024-03-01',
    path: group,
    top: [...tracked, 'managedBy'],
  },
  'azure-native:communication:CommunicationService': {
    apiVersion: '2026-03-18',
    path: `${group}/providers/Microsoft.Communication/communicationServices/{communicationServiceName}`,
    top: [...tracked, 'identity'],
    fixed: ['dataLocation'],
  },
  'azure-native:storage:StorageAccount': {
    apiVersion: '2024-01-01',
    path: `${group}/providers/Microsoft.Storage/storageAccounts/{accountName}`,
    top: [...tracked, 'identity', 'sku', 'kind'],
    renamed: { enableHttpsTrafficOnly: 'supportsHttpsTrafficOnly' },
  },
  'azure-native:storage:Table': {
    apiVersion: '2024-01-01',
    path: `${group}/providers/Microsoft.Storage/storageAccounts/{accountName}/tableServices/default/tables/{tableName}`,
    naming: 'copy',
  },
  'azure-native:storage:BlobContainer': {
    apiVersion: '2024-01-01',
    path: containerPath,
    naming: 'copy',
  },
  'azure-native:storage:Blob': {
    path: `${containerPath}/blobs/{blobName}`,
    naming: 'copy',
    fixed: ['contentMd5', 'source', 'type'],
  },
  'azure-native:managedidentity:UserAssignedIdentity': {
    apiVersion: '2023-01-31',
    path: `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}`,
    top: tracked,
  },
  'azure-native:authorization:RoleAssignment': {
    apiVersion: '2022-04-01',
    path: '{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}',
    naming: 'uuid',
    fixed: ['principalId'],
  },
  'azure-native:authorization:RoleDefinition': {
    apiVersion: '2022-05-01-preview',
    path: '{scope}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}',
    naming: 'uuid',
    renamed: { roleType: 'type' },
  },
  'azure-native:authorization:ManagementLockByScope': {
    apiVersion: '2020-05-01',
    path: '{scope}/providers/Microsoft.Authorization/locks/{lockName}',
  },
  'azure-native:web:AppServicePlan': {
    apiVersion: '2025-05-01',
    path: `${group}/providers/Microsoft.Web/serverfarms/{name}`,
    top: [...tracked, 'kind', 'sku'],
    fixed: ['reserved'],
  },
  'azure-native:web:WebApp': {
    apiVersion: '2025-05-01',
    path: `${group}/providers/Microsoft.Web/sites/{name}`,
    top: [...tracked, 'kind', 'identity'],
    fixed: ['kind'],
    // Without the app settings, so that a refresh does not see when they change.
    parts: { siteConfig: 'config/web' },
    // Otherwise Azure deletes the plan with its last site.
    deleteQuery: { deleteEmptyServerFarm: 'false' },
  },
  'azure-native:web:WebAppScmAllowed': {
    apiVersion: '2025-05-01',
    path: `${group}/providers/Microsoft.Web/sites/{name}/basicPublishingCredentialsPolicies/scm`,
    defaults: { allow: true },
  },
  'azure-native:web:WebAppFtpAllowed': {
    apiVersion: '2025-05-01',
    path: `${group}/providers/Microsoft.Web/sites/{name}/basicPublishingCredentialsPolicies/ftp`,
    defaults: { allow: true },
  },
  'azure-native:web:WebAppDiagnosticLogsConfiguration': {
    apiVersion: '2025-05-01',
    path: `${group}/providers/Microsoft.Web/sites/{name}/config/logs`,
    defaults: { applicationLogs: {} },
  },
  'azure-native:monitor:AutoscaleSetting': {
    apiVersion: '2021-05-01-preview',
    path: `${group}/providers/Microsoft.Insights/autoscaleSettings/{autoscaleSettingName}`,
    top: tracked,
  },
}

/** Functions that are a POST to this path. */
export const invokeTable: Readonly<Record<string, Required<Pick<ResourceRow, 'apiVersion' | 'path'>>>> = {
  'azure-native:communication:listCommunicationServiceKeys': {
    apiVersion: '2026-03-18',
    path: `${group}/providers/Microsoft.Communication/communicationServices/{communicationServiceName}/listKeys`,
  },
}

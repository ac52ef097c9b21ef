import { toGuid, toServicePrincipalId, wellKnownTenantId } from '../entra/tenant.ts'
import { authorizationTypes } from './authorization-types.ts'
import { requireLocation } from './location.ts'
import { monitorTypes } from './monitor-types.ts'
import { groupType } from './resource-id.ts'
import type { ResourceType, StoredResource } from './resource-types.ts'
import { storageTypes, type TableBackend } from './storage-types.ts'
import { webTypes } from './web-types.ts'

/** Returns the types whose resources are stored and returned, but not served, except for tables. `list` returns all of them. */
export function genericResourceTypes(
  tables: TableBackend,
  list: () => readonly StoredResource[],
): readonly ResourceType[] {
  return [
    resourceGroup,
    ...storageTypes(tables),
    userAssignedIdentity,
    ...authorizationTypes(list),
    ...webTypes,
    ...monitorTypes,
  ]
}

const resourceGroup: ResourceType = {
  type: groupType,
  listedApiVersion: '2024-03-01',
  pattern: /^[-\w.()]{1,90}$/,
  put: requireLocation,
}

const userAssignedIdentity: ResourceType = {
  type: 'Microsoft.ManagedIdentity/userAssignedIdentities',
  listedApiVersion: '2023-01-31',
  put: requireLocation,
  show: ({ id, envelope }) => {
    const clientId = toGuid('managed identity', id.key)
    const properties = { tenantId: wellKnownTenantId, principalId: toServicePrincipalId(clientId), clientId }
    return { ...envelope, properties }
  },
}

import { toManagedIdentityClientId, toServicePrincipalId, wellKnownTenantId } from '../entra/tenant.ts'
import { authorizationTypes } from './authorization-types.ts'
import { requireLocation } from './location.ts'
import { monitorTypes } from './monitor-types.ts'
import { groupType } from './resource-id.ts'
import type { ResourceType, StoredResource } from './resource-types.ts'
import type { StorageBackend } from './storage-services.ts'
import { storageTypes } from './storage-types.ts'
import { webTypes } from './web-types.ts'

/**
 * Returns the types whose resources are stored and returned, but not served, except for tables and containers. `list` returns
 * all resources.
 */
export function genericResourceTypes(
  storage: StorageBackend,
  list: () => readonly StoredResource[],
): readonly ResourceType[] {
  return [
    resourceGroup,
    ...storageTypes(storage),
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
    const clientId = toManagedIdentityClientId(id.key)
    const properties = { tenantId: wellKnownTenantId, principalId: toServicePrincipalId(clientId), clientId }
    return { ...envelope, properties }
  },
}

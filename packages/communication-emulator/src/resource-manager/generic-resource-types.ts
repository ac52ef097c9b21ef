import { toGuid, toServicePrincipalId, wellKnownTenantId } from '../entra/tenant.ts'
import { ArmError } from './arm-error.ts'
import { invalidContent } from './arm-request.ts'
import { requireLocation } from './location.ts'
import { monitorTypes } from './monitor-types.ts'
import { groupType } from './resource-id.ts'
import type { ResourceType } from './resource-types.ts'
import { storageTypes, type TableBackend } from './storage-types.ts'
import { webTypes } from './web-types.ts'

/** Returns the types whose resources are stored and returned, but not served, except for tables. */
export function genericResourceTypes(tables: TableBackend): readonly ResourceType[] {
  return [resourceGroup, ...storageTypes(tables), userAssignedIdentity, roleAssignment, ...webTypes, ...monitorTypes]
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

const roleAssignment: ResourceType = {
  type: 'Microsoft.Authorization/roleAssignments',
  listedApiVersion: '2022-04-01',
  missingError: ({ name }) =>
    new ArmError(404, 'RoleAssignmentNotFound', `The role assignment '${name}' is not found.`),
  pattern: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i,
  put({ scope }, { properties = {} }) {
    const { roleDefinitionId, principalId, principalType = 'User' } = properties
    if (typeof roleDefinitionId !== 'string' || typeof principalId !== 'string') {
      throw invalidContent("'roleDefinitionId' and 'principalId' are required.")
    }
    return { properties: { ...properties, principalType, scope: scope.id } }
  },
}

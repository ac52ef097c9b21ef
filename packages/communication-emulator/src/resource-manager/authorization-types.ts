import { isObject } from '../raw-request.ts'
import { ArmError } from './arm-error.ts'
import { invalidContent } from './arm-request.ts'
import { isAtOrBelow, isSame, type ResourceId } from './resource-id.ts'
import type { Envelope, ResourceType, StoredResource } from './resource-types.ts'

type List = () => readonly StoredResource[]

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i
const roleAssignmentType = 'Microsoft.Authorization/roleAssignments'
const roleDefinitionType = 'Microsoft.Authorization/roleDefinitions'
export const lockType = 'Microsoft.Authorization/locks'

/** Types of the provider Microsoft.Authorization. `list` returns all stored resources. */
export function authorizationTypes(list: List): readonly ResourceType[] {
  return [roleAssignment(list), roleDefinition(list), lock]
}

function roleAssignment(list: List): ResourceType {
  return {
    type: roleAssignmentType,
    listedApiVersion: '2022-04-01',
    missingError: ({ name }) =>
      new ArmError(404, 'RoleAssignmentNotFound', `The role assignment '${name}' is not found.`),
    pattern: uuid,
    put({ key, scope }, { properties = {} }) {
      const { roleDefinitionId, principalId, principalType = 'User' } = properties
      if (typeof roleDefinitionId !== 'string' || typeof principalId !== 'string') {
        throw invalidContent("'roleDefinitionId' and 'principalId' are required.")
      }
      // differs(role-ids): built-in roles are not known, so an id that is not that of a custom role is accepted.
      const custom = list().find(({ id }) => isSame(id.type, roleDefinitionType) && hasName(roleDefinitionId, id))
      const scopes = (custom?.envelope.properties?.['assignableScopes'] ?? ['']) as readonly string[]
      if (!scopes.some((assignable) => isAtOrBelow(scope.id, assignable))) {
        // guess(role-errors)
        const reason = `'${scope.id}' is not within the assignable scopes of the role: ${scopes.join(', ')}.`
        throw new ArmError(400, 'RoleAssignmentScopeNotAssignableToRoleDefinition', reason)
      }
      const isAssigned = list().some(
        ({ id, envelope: { properties: other = {} } }) =>
          isSame(id.type, roleAssignmentType) &&
          id.key !== key &&
          isSame(id.scope.id, scope.id) &&
          isSame(String(other['principalId']), principalId) &&
          isSame(String(other['roleDefinitionId']), roleDefinitionId),
      )
      if (isAssigned) throw new ArmError(409, 'RoleAssignmentExists', 'The role assignment already exists.')
      return { properties: { ...properties, principalType, scope: scope.id } }
    },
  }
}

function roleDefinition(list: List): ResourceType {
  const findAll = (type: string) => list().filter(({ id }) => isSame(id.type, type))
  return {
    type: roleDefinitionType,
    listedApiVersion: '2022-04-01',
    pattern: uuid,
    missingError: ({ name }) =>
      new ArmError(
        404,
        'RoleDefinitionDoesNotExist',
        `The specified role definition with ID '${name.replaceAll('-', '')}' does not exist.`,
      ),
    put(id, { properties = {} }) {
      const { roleName, permissions, assignableScopes } = properties
      if (typeof roleName !== 'string' || !isList(permissions) || !isList(assignableScopes)) {
        throw invalidContent("'roleName', 'permissions' and 'assignableScopes' are required.")
      }
      const isTaken = findAll(roleDefinitionType).some(
        ({ id: { key }, envelope }) => key !== id.key && isSame(String(envelope.properties?.['roleName']), roleName),
      )
      if (isTaken) {
        throw new ArmError(
          409,
          'RoleDefinitionWithSameNameExists',
          'A custom role with the same name already exists in this directory. Use a different name.',
        )
      }
      const none = { actions: [], notActions: [], dataActions: [], notDataActions: [] }
      const complete = permissions.map((permission) => ({ ...none, ...(isObject(permission) && permission) }))
      return { properties: { ...properties, type: 'CustomRole', permissions: complete } }
    },
    checkDeletion({ id }) {
      const isAssigned = findAll(roleAssignmentType).some(({ envelope }) =>
        hasName(String(envelope.properties?.['roleDefinitionId']), id),
      )
      if (!isAssigned) return
      // guess(role-errors)
      const message = 'There are existing role assignments referencing role.'
      throw new ArmError(400, 'RoleDefinitionHasAssignments', message)
    },
  }
}

const lock: ResourceType = {
  type: lockType,
  listedApiVersion: '2020-05-01',
  pattern: /^[-\w.()]{1,90}$/,
  hasSystemData: true,
  // guess(lock-not-found)
  missingError: ({ name }) => new ArmError(404, 'LockNotFound', `The lock '${name}' could not be found.`),
  put(_, { properties = {} }): Envelope {
    const { level } = properties
    if (level !== 'CanNotDelete' && level !== 'ReadOnly' && level !== 'NotSpecified') {
      throw invalidContent("'level' must be CanNotDelete, ReadOnly or NotSpecified.")
    }
    return { properties }
  },
}

/** Whether the id of a role ends in the name of a role definition, in any scope. */
function hasName(roleId: string, { name }: ResourceId): boolean {
  return isSame(roleId.slice(roleId.lastIndexOf('/') + 1), name)
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0
}

import { isObject, type RawResponse } from '../raw-request.ts'
import type { Assignment, AssignmentChange, AssignmentKey, AssignmentKind, Assignments } from './assignments.ts'
import { isGuid, optionalString, optionalStrings, readBody, readObject, selectMembers } from './body.ts'
import { modelError, ServiceError, validationError } from './errors.ts'
import type { Call, Handler } from './identity-operations.ts'
import type { PathParameters } from './routes.ts'

// guess(principal-type): the case is ignored, since samples send `User`; responses have the names of the api description.
/** Types of principals by their name in lower case; `teamsResourceAccount` is that of the documentation. */
const principalTypes: Readonly<Record<AssignmentKind, ReadonlyMap<string, string>>> = {
  teamsExtension: new Map([
    ['user', 'user'],
    ['resourceaccount', 'resourceAccount'],
    ['teamsresourceaccount', 'resourceAccount'],
  ]),
  entra: new Map(['user', 'group', 'tenant'].map((type) => [type, type])),
}

/** Creates the handlers of the assignments. `takeQuota` throws the service's error. */
export function createAssignmentOperations(
  assignments: Assignments,
  takeQuota: (call: Call) => void,
  { strict }: { strict: boolean },
) {
  function createHandlers(kind: AssignmentKind, toKey: (parameters: PathParameters) => AssignmentKey) {
    function get(call: Call): RawResponse {
      const key = toKey(call)
      takeQuota(call)
      const assignment = assignments.find(call.resource, kind, key)
      if (assignment) return { status: 200, body: assignment }
      // guess(assignment-errors): the status is documented, code and text are not.
      throw new ServiceError(404, 'NotFound', "Provided assignment doesn't exist.", { isFromAction: true })
    }

    function put(call: Call): RawResponse {
      const key = toKey(call)
      const value = toAssignment(readObject(call.request), key)
      takeQuota(call)
      const isNew = !assignments.find(call.resource, kind, key)
      assignments.change(call.resource, kind, [{ ...key, value }])
      return { status: isNew ? 201 : 200, body: value }
    }

    // guess(delete-assignment-twice)
    function remove(call: Call): RawResponse {
      const key = toKey(call)
      readBody(call.request, [], { strict })
      takeQuota(call)
      assignments.change(call.resource, kind, [{ ...key, value: null }])
      return { status: 204 }
    }

    // guess(assignment-list): all on one page.
    function list(call: Call): RawResponse {
      takeQuota(call)
      return { status: 200, body: { value: assignments.list(call.resource, kind) } }
    }

    // guess(assignment-patch): the response lists the assignments of the request.
    /** Merges a map from object ids to assignments, or to null for removal. */
    function update(call: Call): RawResponse {
      const changes = Object.entries(readObject(call.request)).map(([objectId, body]): AssignmentChange => {
        const key = { objectId: readGuid(objectId, 'ObjectId') }
        return { ...key, value: body === null ? null : toAssignment(body, key) }
      })
      takeQuota(call)
      assignments.change(call.resource, kind, changes)
      const value = changes.flatMap((change) => change.value ?? [])
      return value.length === 0 ? { status: 204 } : { status: 200, body: { value } }
    }

    function toAssignment(body: unknown, key: AssignmentKey): Assignment {
      if (!isObject(body)) throw modelError('The assignment must be a JSON object.', key.objectId)
      const needsAll = key.tenantId === undefined
      const known = [...(needsAll ? ['tenantId'] : []), 'principalType', 'clientIds']
      const members = selectMembers(body, known, { strict })
      for (const name of needsAll ? known : ['principalType']) {
        const label = `${name.charAt(0).toUpperCase()}${name.slice(1)}`
        if (members[name] === undefined) throw modelError(`${label}: The ${label} field is required.`, label)
      }
      const principalType = optionalString(members, 'principalType')!
      const clientIds = optionalStrings(members, 'clientIds')?.map((id) => readGuid(id, 'ClientIds'))
      const tenantId = key.tenantId ?? readGuid(optionalString(members, 'tenantId')!, 'TenantId')
      const type = principalTypes[kind].get(principalType.toLowerCase())
      if (type === undefined) throw validationError('Provided PrincipalType is not supported.', 'principalType')
      return { objectId: key.objectId, tenantId, principalType: type, ...(clientIds && { clientIds }) }
    }

    return { get, put, remove, list, update }
  }

  const extension = createHandlers('teamsExtension', ({ objectId, tenantId }) => ({
    objectId: readGuid(objectId, 'ObjectId'),
    tenantId: readGuid(tenantId, 'TenantId'),
  }))
  const entra = createHandlers('entra', ({ objectId }) => ({ objectId: readGuid(objectId, 'ObjectId') }))
  return {
    getTeamsExtensionAssignment: extension.get,
    putTeamsExtensionAssignment: extension.put,
    deleteTeamsExtensionAssignment: extension.remove,
    listEntraAssignments: entra.list,
    updateEntraAssignments: entra.update,
    getEntraAssignment: entra.get,
    putEntraAssignment: entra.put,
    deleteEntraAssignment: entra.remove,
  } satisfies Record<string, Handler>
}

// guess(guid-format): the text is that of the Teams exchange.
function readGuid(text: string, name: string): string {
  if (isGuid(text)) return text.toLowerCase()
  const target = `${name.charAt(0).toLowerCase()}${name.slice(1)}`
  throw validationError(`Provided ${name} has invalid format.`, target)
}

import type { RawResponse } from '../raw-request.ts'
import { readAssignment, readGuid } from './assignment-body.ts'
import type { AssignmentKey, AssignmentKind, Assignments } from './assignments.ts'
import { readBody, readObject } from './body.ts'
import { ServiceError } from './errors.ts'
import type { Call, Handler } from './identity-operations.ts'

/** Creates the handlers of the assignments. `takeQuota` throws the service's error. */
export function createAssignmentOperations(
  assignments: Assignments,
  takeQuota: (call: Call) => void,
  { strict }: { strict: boolean },
) {
  function get(kind: AssignmentKind, call: Call): RawResponse {
    const key = readKey(kind, call)
    takeQuota(call)
    const assignment = assignments.find(call.resource, kind, key)
    if (assignment) return { status: 200, body: assignment }
    // guess(assignment-errors): only the status is documented.
    throw new ServiceError(404, 'NotFound', "Provided assignment doesn't exist.", { isFromAction: true })
  }

  function put(kind: AssignmentKind, call: Call): RawResponse {
    const key = readKey(kind, call)
    const value = readAssignment(kind, key, readObject(call.request), { strict })
    takeQuota(call)
    const isNew = !assignments.find(call.resource, kind, key)
    assignments.change(call.resource, kind, [{ ...key, value }])
    return { status: isNew ? 201 : 200, body: value }
  }

  // guess(delete-assignment-twice)
  function remove(kind: AssignmentKind, call: Call): RawResponse {
    const key = readKey(kind, call)
    readBody(call.request, [], { strict })
    takeQuota(call)
    assignments.change(call.resource, kind, [{ ...key, value: null }])
    return { status: 204 }
  }

  // guess(assignment-list): all on one page.
  function list(kind: AssignmentKind, call: Call): RawResponse {
    takeQuota(call)
    return { status: 200, body: { value: assignments.list(call.resource, kind) } }
  }

  // guess(assignment-patch): the response lists the assignments of the request; any media type of JSON is accepted.
  /** Merges a map from object ids to assignments, or to null for removal. */
  function update(kind: AssignmentKind, call: Call): RawResponse {
    const changes = new Map(
      Object.entries(readObject(call.request)).map(([text, body]) => {
        const objectId = readGuid(text, 'objectId')
        return [
          objectId,
          { objectId, value: body === null ? null : readAssignment(kind, { objectId }, body, { strict }) },
        ]
      }),
    )
    takeQuota(call)
    assignments.change(call.resource, kind, [...changes.values()])
    const value = [...changes.values()].flatMap((change) => change.value ?? [])
    return value.length === 0 ? { status: 204 } : { status: 200, body: { value } }
  }

  return {
    getTeamsExtensionAssignment: (call) => get('teamsExtension', call),
    putTeamsExtensionAssignment: (call) => put('teamsExtension', call),
    deleteTeamsExtensionAssignment: (call) => remove('teamsExtension', call),
    listEntraAssignments: (call) => list('entra', call),
    updateEntraAssignments: (call) => update('entra', call),
    getEntraAssignment: (call) => get('entra', call),
    putEntraAssignment: (call) => put('entra', call),
    deleteEntraAssignment: (call) => remove('entra', call),
  } satisfies Record<string, Handler>
}

/** Reads the ids in the path: only those of the Teams extension have a tenant there. */
function readKey(kind: AssignmentKind, { objectId, tenantId }: Call): AssignmentKey {
  return {
    objectId: readGuid(objectId, 'objectId'),
    ...(kind === 'teamsExtension' && { tenantId: readGuid(tenantId, 'tenantId') }),
  }
}

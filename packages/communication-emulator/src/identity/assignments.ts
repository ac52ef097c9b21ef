import type { Resource } from '../resource.ts'
import type { AssignmentRow, IdentityRow, ResourceRow, Store } from '../store.ts'
import { parseEntraTail, toEntraTail, type EntraUserId } from './communication-user-id.ts'
import type { EntraUser } from './entra-user.ts'
import { ServiceError } from './errors.ts'
import type { IssuedTokens } from './issued-tokens.ts'

/** Routes under `/access` that exchange tokens of assigned principals. */
export type AssignmentKind = AssignmentRow['kind']

/** Permission of a principal to get access tokens of a resource, as the service returns it. */
export interface Assignment {
  readonly objectId: string
  readonly tenantId: string
  readonly principalType: string
  /** Applications that may exchange a token. */
  readonly clientIds?: readonly string[]
}

/** An assignment of one of the resources. */
export interface ListedAssignment extends Assignment {
  /** Name of the resource. */
  readonly resource: string
  /** `teamsExtension` or, for Entra ID users outside of the Teams extension, `entra`. */
  readonly kind: AssignmentKind
}

export type Assignments = ReturnType<typeof createAssignments>

/** Key of an assignment among those of its kind. For the kind `entra`, it is the object id alone. */
export interface AssignmentKey {
  readonly objectId: string
  readonly tenantId?: string
}

/** The new value of an assignment; null removes it. */
export interface AssignmentChange extends AssignmentKey {
  readonly value: Assignment | null
}

const atKey = `FROM assignment
  WHERE resource = :resource AND kind = :kind AND object_id = :objectId AND tenant_id = ifnull(:tenantId, tenant_id)`

/** The assignments of all resources. */
export function createAssignments(store: Store, tokens: IssuedTokens) {
  function find(resource: Resource, kind: AssignmentKind, key: AssignmentKey): Assignment | undefined {
    const row = store.get<AssignmentRow>(`SELECT * ${atKey}`, toValues(resource, kind, key))
    return row && toAssignment(row)
  }

  function list(resource: Resource, kind: AssignmentKind): Assignment[] {
    const sql = 'SELECT * FROM assignment WHERE resource = ? AND kind = ?'
    return store.all<AssignmentRow>(sql, resource.id, kind).map(toAssignment)
  }

  function listAll(): ListedAssignment[] {
    return store
      .all<AssignmentRow & Pick<ResourceRow, 'name'>>(
        'SELECT assignment.*, resource.name FROM assignment JOIN resource ON resource.id = assignment.resource',
      )
      .map((row) => ({ resource: row.name, kind: row.kind, ...toAssignment(row) }))
  }

  // guess(assignment-removed)
  /** Makes all changes or none, and revokes the tokens of users who lose their last assignment. */
  function change(resource: Resource, kind: AssignmentKind, changes: readonly AssignmentChange[]): void {
    store.transaction(() => {
      const former = changes.flatMap((key) => find(resource, kind, key) ?? [])
      for (const { value, ...key } of changes) {
        store.run(`DELETE ${atKey}`, toValues(resource, kind, key))
        if (value) insert(resource, kind, value)
      }
      for (const identity of former.flatMap((assignment) => listUsers(resource, kind, assignment))) {
        if (findApplicable(resource, parseEntraTail(identity.tail)!).length === 0) tokens.revoke(identity)
      }
    })
  }

  function insert(resource: Resource, kind: AssignmentKind, assignment: Assignment): void {
    const { clientIds, principalType } = assignment
    store.run(
      `INSERT INTO assignment (resource, kind, tenant_id, object_id, principal_type, client_ids)
       VALUES (:resource, :kind, :tenantId, :objectId, :principalType, :clientIds)`,
      {
        ...toValues(resource, kind, assignment),
        principalType,
        clientIds: clientIds ? JSON.stringify(clientIds) : null,
      },
    )
  }

  /** Throws the service's error unless a user may exchange tokens of the application that acquired theirs. */
  function checkAssigned(resource: Resource, kind: AssignmentKind, { oid, tenantId, clientId }: EntraUser): void {
    const applicable = findApplicable(resource, { kind, tenantId, oid })
    if (applicable.some(({ clientIds = [] }) => clientIds.includes(clientId))) return
    const other = find(resource, kind, { objectId: oid, tenantId })
    const reason =
      applicable.length > 0
        ? { code: 'ClientNotAssigned', message: `The assignment does not list the application ${clientId}: add it.` }
        : other
          ? { code: 'AssignmentType', message: `The assignment of ${oid} is of type ${other.principalType}: use user.` }
          : { code: 'AssignmentMissing', message: `${oid} of tenant ${tenantId} has no assignment: create one.` }
    // guess(assignment-errors): only the status is known, from a sample.
    throw new ServiceError(403, 'Forbidden', 'The user is not assigned to the resource.', {
      innererror: reason,
      isFromAction: true,
    })
  }

  // guess(assigned-users)
  /** Returns the assignments that apply to a user, whichever applications they list. */
  function findApplicable(resource: Resource, { kind, tenantId, oid }: EntraUserId): Assignment[] {
    return store
      .all<AssignmentRow>(
        // Not with OR, which would not use an index of this table.
        `SELECT * ${atKey} AND principal_type = 'user' UNION ALL SELECT * FROM assignment
         WHERE resource = :resource AND kind = :kind AND tenant_id = :tenantId AND principal_type = 'tenant'`,
        toValues(resource, kind, { objectId: oid, tenantId }),
      )
      .map(toAssignment)
  }

  /** Lists the users to whom an assignment applies. */
  function listUsers(resource: Resource, kind: AssignmentKind, assignment: Assignment): IdentityRow[] {
    const { tenantId, objectId, principalType } = assignment
    const tail = toEntraTail({ kind, tenantId, oid: principalType === 'tenant' ? '*' : objectId })
    const sql = "SELECT * FROM identity WHERE resource = ? AND instr(tail, '_') AND tail GLOB ?"
    return store.all<IdentityRow>(sql, resource.id, tail)
  }

  function clear(): void {
    store.run('DELETE FROM assignment')
  }

  return { find, list, listAll, change, checkAssigned, clear }
}

function toValues(resource: Resource, kind: AssignmentKind, { objectId, tenantId }: AssignmentKey) {
  return { resource: resource.id, kind, objectId, tenantId: tenantId ?? null }
}

/** Converts a row; the members are in the service's order. */
function toAssignment(row: AssignmentRow): Assignment {
  const clientIds = row.client_ids === null ? undefined : (JSON.parse(row.client_ids) as string[])
  return {
    objectId: row.object_id,
    tenantId: row.tenant_id,
    principalType: row.principal_type,
    ...(clientIds && { clientIds }),
  }
}

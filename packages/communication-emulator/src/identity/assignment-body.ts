import { isObject } from '../raw-request.ts'
import type { Assignment, AssignmentKey, AssignmentKind } from './assignments.ts'
import { isGuid, optionalString, optionalStrings, selectMembers, toPascalCase } from './body.ts'
import { modelError, validationError } from './errors.ts'

// guess(principal-type): the case is ignored, since samples send `User`; responses have the names of the api description.
/** Types of principals by their name in lower case. The documentation uses `teamsResourceAccount`. */
const principalTypes: Readonly<Record<AssignmentKind, ReadonlyMap<string, string>>> = {
  teamsExtension: new Map([
    ['user', 'user'],
    ['resourceaccount', 'resourceAccount'],
    ['teamsresourceaccount', 'resourceAccount'],
  ]),
  entra: new Map(['user', 'group', 'tenant'].map((type) => [type, type])),
}

/** Reads the body of an assignment. Without a tenant in the key, all members are required. Throws the service's error. */
export function readAssignment(
  kind: AssignmentKind,
  key: AssignmentKey,
  body: unknown,
  options: { strict: boolean },
): Assignment {
  if (!isObject(body)) throw modelError('The assignment must be a JSON object.', key.objectId)
  const known = [...(key.tenantId === undefined ? ['tenantId'] : []), 'principalType', 'clientIds']
  const members = selectMembers(body, known, options)
  for (const name of key.tenantId === undefined ? known : ['principalType']) {
    const label = toPascalCase(name)
    if (members[name] === undefined) throw modelError(`${label}: The ${label} field is required.`, label)
  }
  const principalType = optionalString(members, 'principalType')!
  const clientIds = optionalStrings(members, 'clientIds')?.map((id) => readGuid(id, 'clientIds'))
  const tenantId = key.tenantId ?? readGuid(optionalString(members, 'tenantId')!, 'tenantId')
  const type = principalTypes[kind].get(principalType.toLowerCase())
  if (type === undefined) throw validationError('Provided PrincipalType is not supported.', 'principalType')
  return { objectId: key.objectId, tenantId, principalType: type, ...(clientIds && { clientIds }) }
}

// guess(guid-format): the text is that of the Teams exchange.
/** Returns a GUID in lower case. Throws the service's error for other text. */
export function readGuid(text: string, name: string): string {
  if (isGuid(text)) return text.toLowerCase()
  throw validationError(`Provided ${toPascalCase(name)} has invalid format.`, name)
}

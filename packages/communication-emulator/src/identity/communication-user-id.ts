import { drawRandom } from '../random.ts'
import type { AssignmentKind } from './assignments.ts'

const guid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const suffix = '([0-9a-f]{8})-((?:[0-9a-f]{4}-){3}[0-9a-f]{12})'
const pattern = new RegExp(`^8:acs:(${guid})_(?:${suffix}|((?:wf_)?${guid}_${guid}))$`, 'i')

/**
 * Returns `8:acs:<resource guid>_<suffix>`. The suffix is a counter and a random tail in the form of a GUID. For an Entra ID
 * user, it is the tail alone, which contains a `_`.
 */
// guess(suffix): only its form and its small first group were seen.
export function formatCommunicationUserId(resourceGuid: string, counter: number, tail: string): string {
  if (tail.includes('_')) return `8:acs:${resourceGuid}_${tail}`
  return `8:acs:${resourceGuid}_${counter.toString(16).padStart(8, '0')}-${tail}`
}

export function parseCommunicationUserId(id: string) {
  const match = pattern.exec(id)
  if (!match) return undefined
  return {
    resourceGuid: match[1]!.toLowerCase(),
    /** Undefined for an Entra ID user. */
    counter: match[2] === undefined ? undefined : Number.parseInt(match[2], 16),
    tail: (match[3] ?? match[4]!).toLowerCase(),
  }
}

/** An Entra ID user, and the kind of the assignment that they need. */
export interface EntraUserId {
  readonly kind: AssignmentKind
  readonly tenantId: string
  readonly oid: string
}

/** Returns the tail of an Entra ID user's id: `<tenant>_<object>`, or `wf_<tenant>_<object>` outside of the Teams extension. */
export function toEntraTail({ kind, tenantId, oid }: EntraUserId): string {
  return `${kind === 'entra' ? 'wf_' : ''}${tenantId}_${oid}`
}

/** Returns the Entra ID user whose id has this tail; undefined for other users. */
export function parseEntraTail(tail: string): EntraUserId | undefined {
  const [oid, tenantId, prefix] = tail.split('_').toReversed()
  if (oid === undefined || tenantId === undefined) return undefined
  return { kind: prefix === undefined ? 'teamsExtension' : 'entra', tenantId, oid }
}

export function createTail(): string {
  const hex = drawRandom(12).toString('hex')
  return `${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8, 12)}-${hex.slice(12)}`
}

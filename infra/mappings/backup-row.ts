import { findInvalidColumn, journalColumns, userColumns } from '@acs-kit/service-settings/mapping-columns'
import { getResourceId, getTenant, toRowKeys, toUserKey } from '@acs-kit/service-settings/mapping-row'
import type { Property } from './row-format.ts'

/** A row of a backup. */
export interface BackupRow {
  readonly line: number
  readonly part: BackupPart
  readonly entity: Entity
}

export type BackupPart = 'users' | 'journal'

type Entity = Readonly<Record<string, Property>> & {
  readonly partitionKey: string
  readonly rowKey: string
  readonly communicationUserId?: string
}

/** Types that are written, with what their values look like. JSON has the others. */
const types = new Map<unknown, RegExp>([
  ['Binary', /^[\w+/]*={0,2}$/],
  ['DateTime', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z$/],
  ['Double', /^(?:-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|-?Infinity)$/i],
  ['Guid', /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i],
  ['Int64', /^-?\d{1,19}$/],
])
/** Names under which the SDK or the table keeps the keys and its own properties. */
const reserved = new Set(['PartitionKey', 'RowKey', 'Timestamp', 'timestamp', 'etag'])

const remedy = 'export the mapping again'

/** Returns the part that a parsed line belongs to, whether it is valid or not. */
export function getPart(value: unknown): BackupPart {
  return (value as { readonly partitionKey?: unknown } | null)?.partitionKey === 'journal' ? 'journal' : 'users'
}

/** Returns a row that the service could have written for this resource, possibly with more columns. Throws if it is not one. */
export function toEntity(value: unknown, resourceId: string): Entity {
  if (!isEntity(value)) throw new Error('is not a row of a backup: export with --format ndjson')
  const part = getPart(value)
  const columns = Object.entries(value).map(([name, property]) => [name, toColumn(property)])
  const row = Object.fromEntries(columns) as Readonly<Record<string, unknown>>
  const invalid = findInvalidColumn(row, part === 'users' ? userColumns : journalColumns)
  if (invalid !== undefined) throw new Error(`has an invalid ${invalid}: ${remedy}`)
  // Entries of the journal may not have an identity yet.
  if (value.communicationUserId !== undefined) checkResource(value.communicationUserId, resourceId)
  if (part === 'journal') return value
  if (row['resourceId'] !== resourceId) throw new Error(`has an invalid resourceId: ${remedy}`)
  const { issuer, subject } = row as { readonly issuer: string; readonly subject: string }
  const { partitionKey, rowKey } = value
  const isOwn =
    rowKey === toUserKey('oidc', issuer, subject) || rowKey === toUserKey('entra', getTenant(issuer) ?? '', subject)
  if (isOwn && partitionKey === toRowKeys(rowKey).partitionKey) return value
  throw new Error(`has keys of another user: ${remedy}`)
}

function checkResource(communicationUserId: string, resourceId: string): void {
  const owner = getResourceId(communicationUserId)
  if (owner === resourceId) return
  throw new Error(`belongs to ${owner ? `the resource ${owner}` : 'no resource'}, not to ${resourceId} of this stack`)
}

function isEntity(value: unknown): value is Entity {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { partitionKey, rowKey } = value as { partitionKey?: unknown; rowKey?: unknown }
  if (typeof partitionKey !== 'string' || typeof rowKey !== 'string' || !/^[\w-]+$/.test(rowKey)) return false
  return Object.entries(value).every(([name, property]) => isName(name) && isProperty(property))
}

function isName(name: string): boolean {
  return /^[A-Za-z_]\w{0,254}$/.test(name) && !reserved.has(name)
}

function isProperty(property: unknown): boolean {
  if (typeof property === 'string' || typeof property === 'boolean') return true
  if (typeof property === 'number') return property === (property | 0)
  const { type, value } = (property ?? {}) as { readonly type?: unknown; readonly value?: unknown }
  return typeof value === 'string' && types.get(type)?.test(value) === true
}

function toColumn(property: Property): unknown {
  return typeof property === 'object' && property.type === 'DateTime' ? new Date(String(property.value)) : property
}

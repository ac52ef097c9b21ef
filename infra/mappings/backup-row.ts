import { getResourceId } from '@acs-kit/service-settings/mapping-row'
import { parseJson } from '@acs-kit/service-settings/parse-json'
import type { Property } from './row-format.ts'

/** A row of a backup. */
export interface BackupRow {
  readonly line: number
  readonly part: 'users' | 'journal'
  readonly entity: Entity
}

type Entity = Readonly<Record<string, Property>> & {
  readonly partitionKey: string
  readonly rowKey: string
  readonly communicationUserId?: string
}

const types = new Set(['Binary', 'Boolean', 'DateTime', 'Double', 'Guid', 'Int32', 'Int64', 'String'])

/** Parses a line of a backup. Throws if it is not a row, or not of this resource. */
export function parseBackupRow(text: string, line: number, resourceId: string): BackupRow {
  const entity = parseJson(text)
  if (!isEntity(entity)) throw new Error('is not a row of a backup: export with --format ndjson')
  const { partitionKey, communicationUserId } = entity
  const part = /^[\da-f]{2}$/.test(partitionKey) ? 'users' : 'journal'
  if (part === 'journal' && partitionKey !== 'journal')
    throw new Error('is in an unknown partition: correct partitionKey')
  // Entries of the journal may not have an identity yet.
  if (part === 'users' || communicationUserId !== undefined) checkResource(communicationUserId, resourceId)
  return { line, part, entity }
}

function checkResource(communicationUserId: unknown, resourceId: string): void {
  if (typeof communicationUserId !== 'string') throw new Error('has no communicationUserId: export it again')
  const owner = getResourceId(communicationUserId)
  if (owner === resourceId) return
  throw new Error(`belongs to ${owner ? `the resource ${owner}` : 'no resource'}, not to ${resourceId} of this stack`)
}

function isEntity(value: unknown): value is Entity {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { partitionKey, rowKey } = value as { partitionKey?: unknown; rowKey?: unknown }
  if (typeof partitionKey !== 'string' || typeof rowKey !== 'string' || rowKey === '') return false
  return Object.values(value).every((property: unknown) => {
    const text =
      typeof property === 'object' && property !== null && 'type' in property ? property : { value: property }
    return isProperty(text)
  })
}

function isProperty(property: { readonly value?: unknown; readonly type?: unknown }): boolean {
  const { value, type } = property
  if (type !== undefined && !(typeof type === 'string' && types.has(type))) return false
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

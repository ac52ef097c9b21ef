import { findEntraUser } from '@acs-kit/service-settings/mapping-row'
import type { TableEntityResult } from '@azure/data-tables'

/** A property in the form of `@azure/data-tables`: its type is missing if JSON has it. */
export type Property = string | number | boolean | { readonly type: string; readonly value: string | number | boolean }

/** A row in the form of `@azure/data-tables`, without type conversion. */
export type StoredRow = TableEntityResult<object>

/** Status of users without an Entra ID user in the CSV. */
export type UnmappedStatus = 'unresolved' | 'archive-only'

/** Columns of the map that Microsoft's guide for the migration of chats to Microsoft Graph expects. */
export const csvHeader = 'acs_user_id,entra_object_id,target_tenant_id,status,decision_owner\n'

/** Properties that the table assigns. */
const assigned = new Set(['etag', 'timestamp', 'odata.type', 'odata.id', 'odata.editLink'])

/** Formats a row as a line of a backup. Omits what the table itself assigns. */
export function toJsonLine(stored: StoredRow): string {
  const row: Record<string, Property> = {}
  for (const [name, property] of Object.entries(stored as Record<string, Property>)) {
    if (!assigned.has(name)) row[name] = toJsonValue(property)
  }
  const text = JSON.stringify(row)
  // Node also ends a line at these.
  return `${text.replaceAll('\u2028', String.raw`\u2028`).replaceAll('\u2029', String.raw`\u2029`)}\n`
}

/** Formats a row as a line of the CSV. */
export function toCsvLine(row: StoredRow, unmapped: UnmappedStatus): string {
  const text = (name: string) => {
    const property = (row as Record<string, Property | undefined>)[name]
    return String((typeof property === 'object' ? property.value : property) ?? '')
  }
  const user = findEntraUser({ rowKey: text('rowKey'), issuer: text('issuer'), subject: text('subject') })
  const { objectId = '', tenantId = '' } = user ?? {}
  const fields = [text('communicationUserId'), objectId, tenantId, user ? 'mapped' : unmapped, '']
  return `${fields.map(toCsvField).join(',')}\n`
}

/** Types that JSON has are not written. */
function toJsonValue(property: Property): Property {
  if (typeof property !== 'object') return property
  if (property.type === 'String') return property.value
  if (property.type === 'Boolean') return String(property.value) === 'true'
  if (property.type !== 'Int32') return property
  // The SDK takes any whole number for an Int32.
  const number = Number(property.value)
  return number === (number | 0) ? number : { value: property.value, type: 'Double' }
}

/** Quotes a field by RFC 4180. A spreadsheet would run a field that begins like a formula. */
function toCsvField(text: string): string {
  const field = text.replace(/^[=+\-@\t\r]/, "'$&")
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

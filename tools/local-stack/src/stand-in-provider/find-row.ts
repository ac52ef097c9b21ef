import { resourceTable, type ResourceRow } from './resource-table.ts'

/** A row with the type that it maps, such as `azure-native:web:WebApp`. */
export interface TypedRow extends ResourceRow {
  readonly type: string
}

export function findRowOfUrn(urn: string): TypedRow {
  return findRow(urn.split('::')[2]!.split('$').at(-1)!)
}

/** Throws if the type is not supported; `token` is the name in a program. */
export function findRow(type: string, token = type): TypedRow {
  const row = resourceTable[type]
  if (row) return { ...row, type }
  const table = 'tools/local-stack/src/stand-in-provider/resource-table.ts'
  throw new Error(`the stand-in provider does not support ${token}: add it to ${table}`)
}

import { existsSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { TableClient, type RestError, type TableEntityResult } from '@azure/data-tables'
import type { TokenCredential } from '@azure/identity'
import type { StackState } from '../stack/stack-state.ts'

export interface MappingExport {
  readonly endpoint: string
  readonly table: string
  /** Path of a new file. */
  readonly path: string
}

/** Throws if the stack has no mapping table or the file already exists. */
export function planExport({ outputs }: StackState, path: string): MappingExport {
  const { mappingTableEndpoint: endpoint, mappingTable: table } = outputs
  if (typeof endpoint !== 'string' || typeof table !== 'string') {
    throw new Error('the stack has no mapping table to export: omit --export')
  }
  if (existsSync(path)) throw new Error(`${path} already exists: give --export the name of a new file`)
  return { endpoint, table, path }
}

/** Writes the table's rows as lines of JSON, readable only by the file's owner, and returns their number. */
export async function exportMappings(
  { endpoint, table, path }: MappingExport,
  credential: TokenCredential,
): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  try {
    let count = 0
    for await (const page of new TableClient(endpoint, table, credential).listEntities().byPage()) {
      await file.write(page.map(toLine).join(''))
      count += page.length
    }
    await file.sync()
    return count
  } catch (error) {
    await rm(path)
    throw new Error(`exporting the identity mappings failed, nothing was destroyed: ${formatError(error)}`, {
      cause: error,
    })
  } finally {
    await file.close()
  }
}

/** Omits the etag, which is valid only in this table. */
function toLine(entity: TableEntityResult<object>): string {
  const { etag: _, ...row } = entity
  return `${JSON.stringify(row)}\n`
}

function formatError(error: unknown): string {
  const { message, statusCode, details } = error as RestError
  const { code = message } = (details as { odataError?: { code?: string } } | undefined)?.odataError ?? {}
  return statusCode === 403 ? `${code}: you need the role Storage Table Data Reader on the storage account` : code
}

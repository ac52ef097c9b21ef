import { existsSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { TableClient, type RestError, type TableEntityResult } from '@azure/data-tables'
import type { TokenCredential } from '@azure/identity'
import type { StackState } from './stack-state.ts'

export interface MappingExport {
  readonly endpoint: string
  readonly table: string
  /** Of a file that is not there yet. */
  readonly path: string
}

/** Throws when there is nothing to export, or something in its way. */
export function planExport({ outputs }: StackState, path: string): MappingExport {
  const { mappingTableEndpoint: endpoint, mappingTable: table } = outputs
  if (typeof endpoint !== 'string' || typeof table !== 'string') {
    throw new Error('the stack has no mapping table to export: leave --export out')
  }
  if (existsSync(path)) throw new Error(`${path} is there already, and is not overwritten: give --export another name`)
  return { endpoint, table, path }
}

/** Writes the rows of the table, each as a line of JSON, for its owner's eyes only, and returns how many they were. */
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
    throw new Error(`the identity mappings could not be exported, and nothing was destroyed: ${explain(error)}`, {
      cause: error,
    })
  } finally {
    await file.close()
  }
}

/** The etag means something to the table only. */
function toLine(entity: TableEntityResult<object>): string {
  const { etag: _, ...row } = entity
  return `${JSON.stringify(row)}\n`
}

function explain(error: unknown): string {
  const { message, statusCode, details } = error as RestError
  const { code = message } = (details as { odataError?: { code?: string } } | undefined)?.odataError ?? {}
  if (statusCode !== 403) return code
  return `${code}: whoever exports needs the role Storage Table Data Reader on the storage account, or on its group`
}

import type { TokenCredential } from '@azure/identity'
import { exportMappings, ndjson } from '../mappings/export-mappings.ts'
import { findMappingTable } from '../mappings/mapping-table.ts'
import { createProgressLog } from '../mappings/progress-log.ts'
import { rejectExisting } from '../mappings/resumable-file.ts'
import type { StackState } from '../stack/stack-state.ts'

/**
 * Returns a function that exports all rows and returns their number. Throws if the stack has no mapping table or the file
 * already exists.
 */
export function planExport(
  { outputs }: StackState,
  path: string,
  credential: TokenCredential,
  print: (line: string) => void,
): () => Promise<number> {
  const table = findMappingTable(outputs, credential)
  if (!table) throw new Error('the stack has no mapping table to export: omit --export')
  rejectExisting(path)
  const log = createProgressLog(print, () => performance.now())
  return () =>
    // An earlier export lacks the users since then, whose identities are about to be lost.
    exportMappings({ table, format: ndjson, path, startsOver: true, log }).catch((cause: Error) => {
      const consequence = 'exporting the identity mappings failed, nothing was destroyed'
      throw new Error(`${consequence}: ${cause.message}`, { cause })
    })
}

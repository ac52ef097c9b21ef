import { join } from 'node:path'
import { TemporaryFolder } from './temporary-folder.ts'

/**
 * Global setup: an empty data folder for each run, so that tests neither read nor change the user's own, and a folder for compiled
 * code, so that the many processes of the tests start faster.
 */
export function setup(): () => void {
  const folder = new TemporaryFolder()
  process.env['XDG_DATA_HOME'] = folder.path
  process.env['NODE_COMPILE_CACHE'] = join(import.meta.dirname, '../node_modules/.cache/compiled')
  return () => folder[Symbol.dispose]()
}

import { TemporaryFolder } from './temporary-folder.ts'

/** Global setup: an empty data folder for each run, so that tests neither read nor change the user's own. */
export function setup(): () => void {
  const folder = new TemporaryFolder()
  process.env['XDG_DATA_HOME'] = folder.path
  return () => folder[Symbol.dispose]()
}

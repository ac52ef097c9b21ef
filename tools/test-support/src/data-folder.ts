import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A user's data folder that nobody has used yet, for one run of a room's tests: they neither see nor change the real one. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'acs-kit-test-'))
  process.env['XDG_DATA_HOME'] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}

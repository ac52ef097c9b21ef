import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Runs a script, named by its `file:` URL, in a process of its own and returns what it printed. Throws when it fails. */
export async function runScript(url: string, args: readonly (string | number)[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(url), ...args.map(String)])
  return stdout
}

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Runs the script at a `file:` URL in a process of its own and returns its output. Rejects if it fails. */
export async function runScript(url: string, args: readonly (string | number)[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(url), ...args.map(String)])
  return stdout
}

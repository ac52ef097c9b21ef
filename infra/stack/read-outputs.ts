import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { StackState } from './stack-state.ts'

const script = fileURLToPath(import.meta.resolve('./print-outputs.ts'))

/**
 * Reads the outputs that locate a stack's mapping table, with the user's own backend and login. Uses a process of its own,
 * because Pulumi's Automation API occupies 30 MB until its process ends.
 */
export async function readOutputs(stack: string): Promise<StackState['outputs']> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, stack])
    return JSON.parse(stdout) as StackState['outputs']
  } catch (error) {
    const { stderr, signal, code } = error as { stderr?: string; signal?: string; code?: number }
    const reason = code === undefined ? 'its output is not JSON' : `it ended with ${signal ?? code}`
    const failure = `the process that reads the outputs of stack ${stack} failed, run the command again: ${reason}`
    throw new Error(stderr || failure, { cause: error })
  }
}

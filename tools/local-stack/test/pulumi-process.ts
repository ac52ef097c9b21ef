import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { findPulumi } from '@acs-kit/infra/pulumi-cli'
import type { LocalEngine } from '../src/pulumi/local-engine.ts'

/** The Pulumi CLI for tests of the engine. */
export const cli = await findPulumi()
if (!cli) process.stdout.write('NOT RUN: tests of the Pulumi engine, no Pulumi CLI (npm run pulumi:cli)\n')

/** Whether tests of the engine run. If they are required, they fail without a CLI. */
export const runsEngine = cli !== undefined || process.env['COMMUNICATION_TEST_PULUMI'] === 'required'

export interface PulumiResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts a Pulumi command on the engine's stack, as a user would in a terminal. */
export function launchPulumi({ env, folder, stack }: LocalEngine, ...args: string[]): ChildProcess {
  const options = ['--stack', stack.name, '--cwd', folder, '--non-interactive', '--color', 'never']
  return spawn(stack.workspace.pulumiCommand.command, [...args, ...options], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs a Pulumi command on the engine's stack. */
export async function runPulumi(engine: LocalEngine, ...args: string[]): Promise<PulumiResult> {
  const child = launchPulumi(engine, ...args)
  const output = { stdout: '', stderr: '' }
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...output }
}

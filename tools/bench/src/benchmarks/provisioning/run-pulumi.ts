import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findPulumi } from '@acs-kit/infra/pulumi-cli'
import type { LocalEngine } from '@acs-kit/local-stack/pulumi/local-engine'

export async function requireCli() {
  const cli = await findPulumi()
  if (cli) return cli
  throw new Error('Pulumi CLI not found: run `npm run pulumi:cli`')
}

/** Runs the CLI itself: the Automation API's queries for outputs and history would add to what is measured. */
export async function runPulumi({ env, folder, stack }: LocalEngine, command: string): Promise<void> {
  const args = [command, '--yes', '--skip-preview', '--non-interactive', '--stack', stack.name, '--cwd', folder]
  await promisify(execFile)(stack.workspace.pulumiCommand.command, args, { env })
}

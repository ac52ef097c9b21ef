import { findPulumi } from '@acs-kit/infra/pulumi-cli'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { formatError, printLine } from '../run-program.ts'
import { CliInstallation } from './cli-installation.ts'

export interface ProvideCliOptions {
  /** Whether to reject if the CLI cannot be installed. Otherwise, the result is undefined. */
  readonly isRequired: boolean
  /** Options and variables that choose the folders of this program. */
  readonly folderOptions: readonly string[]
  readonly keyFolder: string | undefined
  readonly signal: AbortSignal
}

/** Finds the Pulumi CLI. Otherwise installs it, and shows tokens of a resource that needs no CLI meanwhile. */
export async function provideCli(options: ProvideCliOptions): Promise<PulumiCommand | undefined> {
  const { isRequired, folderOptions, signal } = options
  try {
    return (await findPulumi()) ?? (await install(options))
  } catch (error) {
    if (isRequired) throw error
    signal.throwIfAborted()
    printLine(`\nProvisioning skipped, using the emulator's default resource: ${formatError(error, folderOptions)}`)
    return undefined
  }
}

async function install({ keyFolder, signal }: ProvideCliOptions): Promise<PulumiCommand> {
  await using installation = new CliInstallation()
  const { showFirstTokens } = await import('../lifecycle.ts')
  await showFirstTokens({ keyFolder, signal })
  printLine('\nInstallation of the Pulumi CLI, for a resource of your own\n')
  return await installation.getCli((line) => printLine(`  ${line}`), signal)
}

import { join } from 'node:path'
import { CommandError, LocalWorkspace, Stack, type PulumiCommand } from '@pulumi/pulumi/automation/index.js'

export interface NewStackOptions {
  readonly cli: PulumiCommand
  /** Folder for the stack's configuration. */
  readonly folder: string
  /** Complete environment of the CLI. */
  readonly env: NodeJS.ProcessEnv
}

const program = join(import.meta.dirname, '..')

/**
 * Creates a stack of this program that keeps its configuration outside the source tree.
 *
 * @param name of the stack
 * @param options CLI, folder and environment
 * @returns the stack, without configuration
 * @throws {Error} if the CLI fails; see `toReason`
 * @example
 * const stack = await createStack('local', { cli, folder, env })
 */
export async function createStack(name: string, { cli, folder, env }: NewStackOptions): Promise<Stack> {
  const source = await LocalWorkspace.create({ pulumiCommand: cli, workDir: program })
  const workspace = await LocalWorkspace.create({
    pulumiCommand: cli,
    workDir: folder,
    projectSettings: { ...(await source.projectSettings()), main: program },
    envVars: replaceEnvironment(env),
  })
  return Stack.create(name, workspace)
}

/**
 * Opens a stack of this program with the user's own backend, login and configuration.
 *
 * @param name of the stack, which need not exist
 * @param cli the Pulumi CLI, such as `findPulumi` returns it
 * @returns the stack, see `withoutResults`; `readStackState` reads its outputs
 * @throws {Error} if the folder of the program is not readable
 * @example
 * const stack = await openStack('dev', cli)
 */
export async function openStack(name: string, cli: PulumiCommand): Promise<Stack> {
  const workspace = await LocalWorkspace.create({ pulumiCommand: cli, workDir: program })
  // Selecting it would change which stack the user's next `pulumi up` updates; every command names the stack anyway.
  workspace.selectStack = async () => {}
  return withoutResults(await Stack.select(name, workspace))
}

/**
 * Returns a stack whose operations do not run the CLI up to three times more to read outputs and a summary. Its `outputs` and `info`
 * return nothing.
 *
 * @param stack any stack, which is not changed
 * @returns the stack for operations
 * @example
 * await withoutResults(stack).up()
 */
export function withoutResults(stack: Stack): Stack {
  return Object.assign(Object.create(stack) as Stack, { outputs: async () => ({}), info: async () => undefined })
}

/**
 * Extracts the CLI's own error message from a `CommandError`, which also contains the command line and the output.
 *
 * @param error any error of the Automation API
 * @returns the message, or that of another error unchanged
 * @example
 * await stack.up().catch((error) => console.error(toReason(error)))
 */
export function toReason(error: unknown): string {
  const { message } = error as Error
  const [, reason = message] = (error instanceof CommandError && /^error: ([^]+?)\n+(?: err\?|$)/m.exec(message)) || []
  return reason.trim()
}

/** The Automation API extends this process's environment; an undefined value removes a variable. */
function replaceEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const removed = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]))
  return { ...removed, ...env } as Record<string, string>
}

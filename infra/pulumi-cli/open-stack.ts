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

/** Creates a stack of this program that keeps its configuration outside the source tree. */
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

/** Opens a stack of this program with the user's own backend, login and configuration. */
export async function openStack(name: string, cli: PulumiCommand): Promise<Stack> {
  const workspace = await LocalWorkspace.create({ pulumiCommand: cli, workDir: program })
  // Selecting it would change which stack the user's next `pulumi up` updates; every command names the stack anyway.
  workspace.selectStack = async () => {}
  return Stack.select(name, workspace)
}

/** Returns the CLI's own error message, which a `CommandError` buries in command line and output. */
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

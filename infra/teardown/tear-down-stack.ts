import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { TokenCredential } from '@azure/identity'
import type { Stack } from '@pulumi/pulumi/automation/index.js'
import { formatCount } from '../mappings/format-count.ts'
import { findForeignLocks } from './foreign-locks.ts'
import { formatLosses, formatResource } from './losses.ts'
import { planExport } from './mapping-export.ts'
import { createResourceCheck, type Statuses } from './resource-manager.ts'
import { toCloud, type Cloud } from '../cloud.ts'
import { readStackState } from '../stack/read-stack-state.ts'
import { showOperation, type Output } from '../stack/show-operation.ts'
import type { StackResource } from '../stack/stack-state.ts'

export interface TeardownOptions {
  readonly stack: Stack
  /** File for the identity mappings; default: they are not exported. */
  readonly exportPath?: string | undefined
  readonly credential: TokenCredential
  /** Used where the stack's configuration has no value. */
  readonly cloud: Cloud
  readonly output: Output
  /** Called after the losses are listed. */
  readonly confirm: () => Promise<boolean>
}

/**
 * Lists what will be lost, destroys the stack if that is confirmed, and returns whether Azure reports every resource as
 * deleted. Rejects, before anything is destroyed, if a precondition fails.
 */
export async function tearDownStack(options: TeardownOptions): Promise<boolean> {
  const { stack, exportPath, credential, output } = options
  const log = (text: string) => void output.write(`${text}\n`)
  const state = await readStackState(stack)
  const { resources } = state
  if (resources.length === 0)
    throw new Error(
      `stack ${stack.name} has no resources: to delete it, run \`pulumi stack rm ${stack.name}\` in infra/`,
    )
  const mappings = exportPath === undefined ? undefined : planExport(state, exportPath, credential, log)
  const cloud = toCloud(state.provider, options.cloud)
  const checkResources = await createResourceCheck(cloud, credential)
  const before = await checkResources(resources)
  const unknown = resources.filter((resource) => before.get(resource) === 'unknown')
  if (unknown.length > 0) {
    throw new Error(`access denied to ${unknown.map(formatResource).join(', ')}: you need the Reader role`)
  }
  const existing = resources.filter((resource) => before.get(resource) === 'exists')
  const foreignLocks = await findForeignLocks(existing, cloud, credential)
  if (foreignLocks.length > 0) {
    const remedy = `remove them with \`az lock delete --ids ${foreignLocks.join(' ')}\` and run the command again`
    throw new Error(`the group of stack ${stack.name} has locks that the stack did not create: ${remedy}`)
  }
  log(`Destroying stack ${stack.name} permanently deletes:\n\n${formatLosses(existing)}\n`)
  if (state.isProtected) log('Some resources are protected: the protection is removed first, and then any locks.')
  if (mappings) log(`The identity mappings are exported to ${exportPath} first.`)
  if (!(await options.confirm())) throw new Error('not confirmed: nothing was changed')

  if (mappings) log(`Exported ${formatCount(await mappings(), 'row')} to ${exportPath}.`)
  if (state.isProtected) await unprotect(stack)
  const isDone = await destroy(stack, output)
  const after = await checkResources(resources).catch((cause: Error) => {
    const progress = isDone ? 'Pulumi finished' : 'Pulumi did not finish'
    const remedy = 'check the remaining resources in the Azure portal'
    throw new Error(`${progress}, but whether resources remain is unknown: ${remedy}: ${cause.message}`, { cause })
  })
  log(`\n${formatStatuses(resources, before, after)}\n`)
  const isDeleted = resources.every((resource) => after.get(resource) === 'deleted')
  // An interrupted destroy ends like a finished one.
  const isFinished = isDone && (await readStackState(stack)).resources.length === 0
  log(formatResult(stack.name, isFinished, isDeleted))
  return isFinished && isDeleted
}

/** Runs the CLI itself: the Automation API could only import a changed state, from a file with all secrets in it. */
async function unprotect({ name, workspace }: Stack): Promise<void> {
  const args = ['state', 'unprotect', '--all', '--yes', '--non-interactive', '--stack', name]
  const env = { ...process.env, ...workspace.envVars }
  try {
    await promisify(execFile)(workspace.pulumiCommand.command, args, { cwd: workspace.workDir, env })
  } catch (error) {
    const result = 'removing the protection failed, nothing was destroyed'
    const reason = (error as { stderr: string }).stderr
    throw new Error(`${result}: correct this and run the command again: ${reason}`, { cause: error })
  }
}

/** Returns whether it succeeded; the output shows why not. */
async function destroy(stack: Stack, output: Output): Promise<boolean> {
  try {
    await showOperation(output, (options) => stack.destroy(options))
    return true
  } catch {
    return false
  }
}

function formatStatuses(resources: readonly StackResource[], before: Statuses, after: Statuses): string {
  const results = { exists: 'still exists', deleted: 'deleted', unknown: 'unknown' }
  const rows = [
    ['resource', 'before', 'after'] as const,
    ...resources.map((resource) => {
      const was = before.get(resource) === 'exists' ? 'exists' : 'deleted'
      return [formatResource(resource), was, results[after.get(resource)!]] as const
    }),
  ]
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, was, is]) => `  ${label.padEnd(width)}  ${was.padEnd(8)}  ${is}`).join('\n')
}

function formatResult(stack: string, isFinished: boolean, isDeleted: boolean): string {
  if (!isFinished) {
    const again = `Run \`npm run teardown -- ${stack}\` again to continue.`
    return `Incomplete; protection is now removed. ${again} If Azure reports ScopeLocked, wait a minute first.`
  }
  if (!isDeleted) return 'Pulumi finished, but some resources still exist: check them in the Azure portal.'
  return `No resources of stack ${stack} remain. To delete the stack itself, run \`pulumi stack rm ${stack}\` in infra/.`
}

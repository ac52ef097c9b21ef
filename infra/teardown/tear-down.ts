import type { TokenCredential } from '@azure/identity'
import { describeLosses, labelOf } from './losses.ts'
import { exportMappings, planExport } from './mapping-export.ts'
import type { Pulumi } from './pulumi.ts'
import { ResourceManager, type Cloud, type Presence } from './resource-manager.ts'
import { parseState, type StackResource, type StackState } from './stack-state.ts'

export interface TeardownOptions {
  readonly stack: string
  /** File for the identity mappings; default: they are not exported. */
  readonly exportPath?: string | undefined
  readonly pulumi: Pulumi
  readonly credential: TokenCredential
  /** Where the stack's configuration does not say. */
  readonly cloud: Cloud
  readonly tell: (text: string) => void
  /** Asked once everything was told. */
  readonly confirm: () => Promise<boolean>
}

/**
 * Says what will be lost, destroys it if that is confirmed, and returns whether Azure says that nothing is left. Rejects
 * before anything is destroyed when something is in the way.
 */
export async function tearDown(options: TeardownOptions): Promise<boolean> {
  const { stack, exportPath, pulumi, credential, tell } = options
  const state = parseState(await readStack(pulumi, stack))
  if (state.resources.length === 0) throw new Error(`the stack ${stack} has no resources: there is nothing to destroy`)
  const mappings = exportPath === undefined ? undefined : planExport(state, exportPath)
  const azure = await ResourceManager.find(cloudOf(state, options.cloud), credential)
  const before = await azure.survey(state.resources)
  const hidden = state.resources.filter((resource) => before.get(resource) === 'unknown')
  if (hidden.length > 0) {
    throw new Error(`Azure does not tell whether ${hidden.map(labelOf).join(', ')} is there: the role Reader is needed`)
  }
  const there = state.resources.filter((resource) => before.get(resource) === 'there')
  tell(`Destroying the stack ${stack} deletes, for ever:\n\n${describeLosses(there)}\n`)
  if (state.isProtected) tell('Some of it is protected, which is lifted first.')
  if (mappings) tell(`The identity mappings are exported to ${mappings.path} before that.`)
  if (!(await options.confirm())) throw new Error('it was not confirmed: nothing was touched')

  if (mappings) tell(`Exported ${await exportMappings(mappings, credential)} rows to ${mappings.path}.`)
  const isUnprotected = !state.isProtected || (await pulumi.show('state', 'unprotect', '--all', '--yes', ...of(stack)))
  if (!isUnprotected) throw new Error('the protection could not be lifted: nothing was destroyed')
  const isDone = await pulumi.show('destroy', '--yes', '--skip-preview', ...of(stack))
  const after = await azure.survey(state.resources).catch((cause: Error) => {
    const how = isDone ? 'Pulumi is done' : 'Pulumi is not finished'
    throw new Error(`${how}, and Azure can't be asked what is left: ${cause.message}`, { cause })
  })
  tell(`\n${format(state.resources, before, after)}\n`)
  const isGone = state.resources.every((resource) => after.get(resource) === 'gone')
  // One that was interrupted ends as if it were done.
  const isFinished = isDone && parseState(await readStack(pulumi, stack)).resources.length === 0
  tell(conclusionOf(stack, isFinished, isGone))
  return isFinished && isGone
}

async function readStack(pulumi: Pulumi, stack: string): Promise<string> {
  try {
    return await pulumi.read('stack', 'export', ...of(stack))
  } catch (error) {
    if (!/no stack named/.test((error as Error).message)) throw error
    throw new Error(`there is no stack ${stack}: \`pulumi stack ls\` in infra/ lists those that there are`, {
      cause: error,
    })
  }
}

function of(stack: string): string[] {
  return ['--stack', stack]
}

function cloudOf({ provider }: StackState, fallback: Cloud): Cloud {
  const { metadataHost = fallback.metadataHost, environment = fallback.environment } = provider as Cloud
  return { metadataHost, environment }
}

function format(
  resources: readonly StackResource[],
  before: ReadonlyMap<StackResource, Presence>,
  after: ReadonlyMap<StackResource, Presence>,
): string {
  const left = { there: 'still there', gone: 'nothing', unknown: 'Azure does not tell' }
  const rows = [
    ['resource', 'was', 'left'] as const,
    ...resources.map((resource) => {
      const was = before.get(resource) === 'there' ? 'there' : 'gone already'
      return [labelOf(resource), was, left[after.get(resource)!]] as const
    }),
  ]
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, was, is]) => `  ${label.padEnd(width)}  ${was.padEnd(12)}  ${is}`).join('\n')
}

function conclusionOf(stack: string, isFinished: boolean, isGone: boolean): string {
  if (!isFinished) {
    return `It is not finished, and nothing is protected any more: \`pnpm teardown ${stack}\` goes on from here.`
  }
  if (!isGone) return 'Pulumi is done, yet not everything is gone: look at it in the Azure portal.'
  return `Nothing is left of the stack ${stack}. \`pulumi stack rm ${stack}\` in infra/ forgets its history, too.`
}

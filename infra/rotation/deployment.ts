import type { EngineEvent, Stack } from '@pulumi/pulumi/automation/index.js'
import { toReason } from '../stack/open-stack.ts'
import { showOperation, type Output } from '../stack/show-operation.ts'
import { findActiveKey, type KeyName } from './rotation-record.ts'

/** Resource that the next `up` changes. */
export interface PendingChange {
  readonly type: string
  readonly name: string
  /** Operation of the engine, such as `update`. */
  readonly operation: string
}

const unchanged = new Set(['same', 'read'])
const historyPageSize = 50

/** Previews an `up` and returns what it would change. */
export async function previewChanges(stack: Stack): Promise<readonly PendingChange[]> {
  const changes = new Map<string, PendingChange>()
  const errors: string[] = []
  const onEvent = ({ resourcePreEvent, diagnosticEvent }: EngineEvent) => {
    if (diagnosticEvent?.severity === 'error') errors.push(diagnosticEvent.message.trim())
    const { urn, type, op } = resourcePreEvent?.metadata ?? {}
    if (urn === undefined || unchanged.has(op!)) return
    changes.set(urn, { type: type!.split(':').at(-1)!, name: urn.split('::').at(-1)!, operation: op! })
  }
  try {
    await stack.preview({ color: 'never', onEvent })
  } catch (error) {
    const reason = errors.length > 0 ? errors.join('\n') : toReason(error)
    throw new Error(`pulumi preview failed, correct this and run the command again: ${reason}`, { cause: error })
  }
  return [...changes.values()]
}

/** Runs `pulumi up` and shows its output. */
export async function deploy(stack: Stack, output: Output): Promise<void> {
  try {
    await showOperation(output, (options) => stack.up(options))
  } catch (error) {
    // Not its message, which repeats the output.
    throw new Error('pulumi up did not finish: correct this and run the command again', { cause: error })
  }
}

/** Returns whether an `up` after `since` deployed another active key, such as one from an older commit. */
export async function wasReverted(stack: Stack, activeKey: KeyName, since: Date): Promise<boolean> {
  const { name: project } = await stack.workspace.projectSettings()
  for (let page = 1; ; page++) {
    // Latest first.
    const updates = await stack.history(historyPageSize, page, false)
    for (const { kind, endTime, config } of updates) {
      if (endTime <= since) return false
      if (kind === 'update' && findActiveKey(config, project) !== activeKey) return true
    }
    if (updates.length < historyPageSize) return false
  }
}

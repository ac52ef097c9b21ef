import type { Stack } from '@pulumi/pulumi/automation/index.js'
import { readDeployedKeys } from './deployed-keys.ts'
import { previewChanges, wasReverted } from './deployment.ts'
import {
  beginRotation,
  endRotation,
  getOtherKey,
  readKeyConfig,
  type KeyName,
  type Rotation,
} from './rotation-record.ts'
import { finish, formatTime, getDueTime, regenerate, switchKeys, type RotationContext } from './rotation-steps.ts'

export interface RotationOptions extends Omit<RotationContext, 'key' | 'activeKey' | 'isLeaked' | 'log'> {
  /** Key to replace without waiting for its tokens to expire. Default: the active key, after they have expired. */
  readonly leakedKey?: KeyName | undefined
  /** Called after the consequences of replacing a leaked key are listed. */
  readonly confirm: () => Promise<boolean>
}

/**
 * Starts a rotation, or continues the one in the stack's configuration. Returns the time at which to continue, or undefined
 * when it is finished. Running it again after an interruption at any point is safe.
 */
export async function rotateKey({ leakedKey, confirm, ...options }: RotationOptions): Promise<Date | undefined> {
  const { stack, output, now } = options
  const log = (text: string) => void output.write(`${text}\n`)
  const deployed = await readDeployedKeys(stack, options.cloud)
  const config = await readKeyConfig(stack)
  const recorded = config.rotation
  const isLeaked = leakedKey !== undefined
  const key = leakedKey ?? recorded?.key ?? config.activeKey
  const activeKey = getOtherKey(key)
  const isNew = recorded?.key !== key
  if (!isLeaked && isNew && config.activeKey !== deployed.activeKey)
    throw new Error(describeMismatch(stack, config.activeKey, deployed.activeKey))
  log(`${isNew ? 'Rotating' : 'Continuing to rotate'} the ${key} key of stack ${stack.name}.`)

  let rotation: Rotation = isNew ? { key } : recorded
  const { switchedAt, regenerationStartedAt, regeneratedAt } = rotation
  if (!isLeaked && switchedAt !== undefined && regeneratedAt === undefined) {
    if (deployed.activeKey === key || (await wasReverted(stack, activeKey, new Date(switchedAt)))) {
      log(`Another \`pulumi up\` has made the service prefer the ${key} key again: the wait starts over.`)
      await stack.removeConfig('rotation.switchedAt', true)
      rotation = { key }
    } else {
      const dueAt = getDueTime(switchedAt)
      log(`\n2/5 wait: the last token of the ${key} key has expired by ${formatTime(dueAt)}`)
      if (now() < dueAt.getTime()) return dueAt
    }
  }
  const isSwitchNeeded = isLeaked ? deployed.activeKey === key : rotation.switchedAt === undefined
  if (isLeaked) {
    log(formatConsequences(key, activeKey))
    if (!(await confirm())) throw new Error('not confirmed: nothing was changed')
  }
  await requireNoOtherChanges(stack, !isNew && (isSwitchNeeded || regenerationStartedAt !== undefined))
  if (isNew) {
    // The rotation of the other key, which the service now needs.
    if (recorded) await endRotation(stack)
    await beginRotation(stack, activeKey)
  }
  const context = { ...options, key, activeKey, isLeaked, log }
  if (regeneratedAt === undefined) {
    if (isSwitchNeeded) {
      const dueAt = await switchKeys(context)
      if (!isLeaked) return dueAt
    }
    await regenerate(context)
  }
  await finish(context)
  return undefined
}

/** Prevents that the rotation also deploys changes that are not its own. Those of the site are, if it was interrupted. */
async function requireNoOtherChanges(stack: Stack, isInterrupted: boolean): Promise<void> {
  const changes = await previewChanges(stack)
  const others = changes.filter(
    ({ type, operation }) => !(isInterrupted && type === 'WebApp' && operation === 'update'),
  )
  if (others.length === 0) return
  const list = others.map(({ type, name, operation }) => `${operation} ${type} ${name}`).join(', ')
  throw new Error(
    `stack ${stack.name} has changes that are not deployed: run \`pulumi up\` in infra/, then this command: ${list}`,
  )
}

function describeMismatch({ name }: Stack, activeKey: KeyName, deployedKey: KeyName): string {
  return (
    `the deployed service prefers the ${deployedKey} key, but activeKey is ${activeKey}: ` +
    `get the configuration of stack ${name} that was deployed, or run \`pulumi up\` in infra/`
  )
}

function formatConsequences(key: KeyName, activeKey: KeyName): string {
  return `
Replacing the ${key} key at once has these consequences:

  all tokens that were issued with it stop working: apps must request new ones
  ACS rejects all other programs that use it, until they get the new key
  the token service continues with the ${activeKey} key
`
}

import type { TokenCredential } from '@azure/identity'
import type { Stack } from '@pulumi/pulumi/automation/index.js'
import type { Cloud } from '../cloud.ts'
import { isKeyAccepted, regenerateKey } from './access-keys.ts'
import { readDeployedKeys } from './deployed-keys.ts'
import { deploy } from './deployment.ts'
import type { Output } from '../stack/show-operation.ts'
import { endRotation, recordTime, type KeyName } from './rotation-record.ts'
import { verifyService, type Patience } from './verification.ts'

export interface RotationContext {
  readonly stack: Stack
  readonly credential: TokenCredential
  /** Used where the stack's configuration has no value. */
  readonly cloud: Cloud
  /** Key to regenerate. */
  readonly key: KeyName
  /** The other key, which the service prefers from now on. */
  readonly activeKey: KeyName
  readonly isLeaked: boolean
  readonly patience: Patience
  readonly output: Output
  readonly log: (text: string) => void
  readonly now: () => number
}

/** Maximum lifetime of a token. A lower one in the scope policy does not shorten the tokens from before it was deployed. */
const maxTokenLifetimeMs = 24 * 60 * 60_000
/** App Service keeps the former instances until the new ones have started, which may take half an hour. */
const restartMs = 60 * 60_000

/** Returns when the last token of a key has expired, given when the service was told to use the other key. */
export function getDueTime(switchedAt: string): Date {
  return new Date(Date.parse(switchedAt) + maxTokenLifetimeMs + restartMs)
}

export function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** Makes the service prefer the active key. Returns when the tokens of the other key have expired. */
export async function switchKeys(context: RotationContext): Promise<Date> {
  const { stack, key, activeKey, log } = context
  log(`\n1/5 switch: \`pulumi up\` makes the service prefer the ${activeKey} key`)
  await deploy(stack, context.output)
  log('1/5 deployed: checking that the service is ready and ACS accepts both keys')
  // A leaked key is replaced even if the service is not ready for another reason.
  if (!context.isLeaked) await verifyService(await readDeployedKeys(stack, context.cloud), context.patience)
  const switchedAt = await recordTime(stack, 'switchedAt', context.now())
  log(`1/5 done: the service issues tokens with the ${activeKey} key\n${formatCommitHint(stack)}`)
  const dueAt = getDueTime(switchedAt)
  if (!context.isLeaked) {
    log(`\n2/5 wait: the last token of the ${key} key has expired by ${formatTime(dueAt)}`)
    log(`Until then, move other programs that use the ${key} key to the ${activeKey} key.`)
  }
  return dueAt
}

/** Regenerates the key, unless the service prefers it or cannot continue without it. */
export async function regenerate(context: RotationContext): Promise<void> {
  const { stack, key, activeKey, log } = context
  log(`\n3/5 regenerate: Azure replaces the ${key} key`)
  const deployed = await readDeployedKeys(stack, context.cloud)
  if (deployed.activeKey === key || !(await isKeyAccepted(deployed.connectionStrings[activeKey]))) {
    const remedy = 'run `pulumi up` in infra/, then this command'
    throw new Error(`the service has no other key that works, nothing was regenerated: ${remedy}`)
  }
  // The new key is a change of the site, which is expected from now on.
  await recordTime(stack, 'regenerationStartedAt', context.now())
  await regenerateKey(key, deployed.resource, deployed.cloud, context.credential)
  await recordTime(stack, 'regeneratedAt', context.now())
  log(`3/5 done: ACS rejects the former ${key} key, and its tokens`)
}

/** Passes the new key to the service, verifies both keys and ends the record. */
export async function finish(context: RotationContext): Promise<void> {
  const { stack, key, activeKey, log } = context
  log(`\n4/5 deploy: \`pulumi up\` passes the new ${key} key to the service`)
  await deploy(stack, context.output)
  log('4/5 done\n\n5/5 verify: the service is ready, and ACS accepts both keys')
  await verifyService(await readDeployedKeys(stack, context.cloud), context.patience)
  await endRotation(stack)
  log(`5/5 done: the ${key} key is replaced, and the ${activeKey} key stays active\n${formatCommitHint(stack)}`)
}

function formatCommitHint({ name }: Stack): string {
  // A name may include the organization and the project.
  const file = `infra/Pulumi.${name.split('/').at(-1)}.yaml`
  return `Commit ${file} now: the next \`pulumi up\` with an older one undoes this step.`
}

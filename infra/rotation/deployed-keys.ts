import type { Stack } from '@pulumi/pulumi/automation/index.js'
import { readStackState } from '../stack/read-stack-state.ts'
import type { StackResource } from '../stack/stack-state.ts'
import { toCloud, type Cloud } from '../cloud.ts'
import { keyNames, type KeyName } from './rotation-record.ts'

/** Access keys as the last completed `up` left them. Secrets stay in memory. */
export interface DeployedKeys {
  /** Key that the service prefers. */
  readonly activeKey: KeyName
  readonly connectionStrings: Readonly<Record<KeyName, string>>
  readonly serviceUrl: string
  /** The Communication Services resource. */
  readonly resource: StackResource
  readonly cloud: Cloud
}

/** Reads the keys from the state of a stack. `cloud` is used where the stack's configuration has no value. */
export async function readDeployedKeys(stack: Stack, cloud: Cloud): Promise<DeployedKeys> {
  const { resources, outputs, provider } = await readStackState(stack)
  const resource = resources.find(({ type }) => type === 'CommunicationService')
  const { tokenServiceUrl: serviceUrl } = outputs
  const [primary, secondary] = [outputs['connectionString'], outputs['secondaryConnectionString']].map(revealSecret)
  if (!resource || typeof serviceUrl !== 'string')
    throw new Error(`stack ${stack.name} is not deployed: run \`pulumi up\` in infra/`)
  if (primary === undefined || secondary === undefined)
    throw new Error(`stack ${stack.name} is keyless: it has no access key to rotate`)
  return {
    // Missing after an `up` by an older version of the program, which had no choice.
    activeKey: keyNames.find((name) => name === outputs['activeKey']) ?? 'primary',
    connectionStrings: { primary, secondary },
    serviceUrl,
    resource,
    cloud: toCloud(provider, cloud),
  }
}

/** Returns the text of a secret, which an exported state contains as JSON. */
function revealSecret(value: unknown): string | undefined {
  const { plaintext } = (value ?? {}) as { plaintext?: string }
  return plaintext === undefined ? undefined : (JSON.parse(plaintext) as string)
}

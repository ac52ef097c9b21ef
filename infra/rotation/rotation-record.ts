import { parseJson } from '@acs-kit/service-settings/parse-json'
import type { ConfigMap, Stack } from '@pulumi/pulumi/automation/index.js'

export const keyNames = ['primary', 'secondary'] as const
/** Name of an access key in Azure. */
export type KeyName = (typeof keyNames)[number]

/** A rotation in progress, kept in the stack's configuration so that anyone who has the stack can continue it. */
export interface Rotation {
  /** Key to regenerate. */
  readonly key: KeyName
  /** Time since which the service uses the other key; undefined until that is deployed and verified. */
  readonly switchedAt?: string
  /** Time of the last attempt to regenerate the key. If its result is not recorded, it is repeated. */
  readonly regenerationStartedAt?: string
  readonly regeneratedAt?: string
}

export interface KeyConfig {
  /** Key that the service prefers. */
  readonly activeKey: KeyName
  readonly rotation: Rotation | undefined
}

const times = new Set(['switchedAt', 'regenerationStartedAt', 'regeneratedAt'])

export function getOtherKey(key: KeyName): KeyName {
  return key === 'primary' ? 'secondary' : 'primary'
}

/** Parses the option `rotation`. Throws an error whose message continues the option's name. */
export function parseRotation(text: string): Rotation {
  const value = parseJson(text)
  if (typeof value === 'object' && value !== null) {
    const { key, ...rest } = value as Readonly<Record<string, unknown>>
    const isKnown = Object.entries(rest).every(([name, time]) => times.has(name) && isTime(time))
    if (keyNames.some((name) => name === key) && isKnown) return value as Rotation
  }
  throw new Error(' is not in the form in which `npm run rotate` writes it: restore it, or remove it to start over')
}

/** Returns the active key in a configuration, also of an earlier `up`. */
export function findActiveKey(config: ConfigMap, project: string): KeyName {
  return keyNames.find((name) => name === config[`${project}:activeKey`]?.value) ?? 'primary'
}

/** Reads the options of the rotation, which the program itself also validates. */
export async function readKeyConfig(stack: Stack): Promise<KeyConfig> {
  const { name: project } = await stack.workspace.projectSettings()
  const config = await stack.getAllConfig()
  const text = config[`${project}:rotation`]?.value
  const activeKey = findActiveKey(config, project)
  try {
    const rotation = text === undefined ? undefined : parseRotation(text)
    if (rotation?.key === activeKey) throw new Error(describeConflict(activeKey))
    return { activeKey, rotation }
  } catch (error) {
    throw new Error(`${project}:rotation${(error as Error).message}`, { cause: error })
  }
}

/** Continues the option's name, like the messages of all parsers. */
export function describeConflict(activeKey: KeyName): string {
  return ` replaces the ${activeKey} key, which is active: set activeKey to ${getOtherKey(activeKey)}, or remove rotation`
}

/** Sets the active key and begins the record of a rotation, in one write. */
export async function beginRotation(stack: Stack, activeKey: KeyName): Promise<void> {
  const values = { activeKey: { value: activeKey }, 'rotation.key': { value: getOtherKey(activeKey) } }
  await stack.setAllConfig(values, true)
}

/** Adds a time to the record, and returns it. */
export async function recordTime(stack: Stack, step: Exclude<keyof Rotation, 'key'>, timeMs: number): Promise<string> {
  const value = new Date(timeMs).toISOString()
  await stack.setConfig(`rotation.${step}`, { value }, true)
  return value
}

/** Removes the record. The active key stays. */
export async function endRotation(stack: Stack): Promise<void> {
  await stack.removeConfig('rotation')
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value))
}

import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { ResourceRow } from './resource-table.ts'

export type Values = Readonly<Record<string, unknown>>

/** How the engine sends what is not known before an `up`. */
const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'

export function isUnknown(value: unknown): boolean {
  return value === unknown
}

export function parametersOf(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
}

/** The path of the resource with these inputs; `subscriptionId` is the provider's own. */
export function pathOf(path: string, inputs: Values, subscriptionId: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'subscriptionId' ? subscriptionId : String(inputs[name]),
  )
}

/** The name that a resource gets which was given none: the same for the same seed. */
export function makeUpName({ naming }: ResourceRow, logicalName: string, seed: Uint8Array): string {
  const hex = hash('sha256', seed)
  if (naming === 'copy') return logicalName
  if (naming === 'random') return `${logicalName}${hex.slice(0, 8)}`
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

export function isMadeUp({ naming }: ResourceRow, logicalName: string, name: unknown): boolean {
  return naming !== 'copy' && typeof name === 'string' && name !== logicalName
}

/** Inputs as the body of a PUT. */
export function toBody({ path, top, renamed = {} }: ResourceRow, inputs: Values): Values {
  const parameters = parametersOf(path)
  const body: Record<string, unknown> = {}
  const properties: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(inputs)) {
    if (top.includes(name)) body[name] = name === 'identity' ? toIdentity(value as Values) : value
    else if (!parameters.includes(name)) properties[renamed[name] ?? name] = value
  }
  return { ...body, properties }
}

/** Azure-native lists identities, the resource manager has them as keys. */
function toIdentity({ userAssignedIdentities: ids, ...rest }: Values): Values {
  if (!Array.isArray(ids)) return rest
  return { ...rest, userAssignedIdentities: Object.fromEntries(ids.map((id: string) => [id, {}])) }
}

/** An answer as outputs. */
export function toOutputs({ apiVersion, renamed = {} }: ResourceRow, inputs: Values, body: Values): Values {
  const { id: _, properties = {}, ...top } = body as Values & { readonly properties?: Values }
  const back = Object.fromEntries(Object.entries(renamed).map(([ours, theirs]) => [theirs, ours]))
  const flat = Object.fromEntries(Object.entries(properties).map(([name, value]) => [back[name] ?? name, value]))
  // What the answer keeps back, such as a site's settings, is as it was put.
  return { ...inputs, ...flat, ...top, azureApiVersion: apiVersion }
}

/** The inputs that would make what is there now: those that an answer shows, and the old ones otherwise. */
export function toInputs(inputs: Values, outputs: Values): Values {
  const shown = Object.entries(inputs).map(([name, value]) => {
    const now = outputs[name]
    const isShown = now !== undefined && typeof now !== 'object'
    return [name, isShown || name === 'tags' ? (now ?? value) : value] as const
  })
  return Object.fromEntries(shown)
}

type ChangeKind = 'ADD' | 'DELETE' | 'UPDATE'

export interface Change {
  readonly name: string
  readonly kind: ChangeKind
  readonly isReplacement: boolean
}

export function changesOf({ path, fixed = [] }: ResourceRow, before: Values, after: Values): Change[] {
  const locked = new Set(['location', ...parametersOf(path), ...fixed])
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names]
    .filter((name) => !isSame(name, before[name], after[name]))
    .map((name) => ({
      name,
      kind: before[name] === undefined ? 'ADD' : after[name] === undefined ? 'DELETE' : 'UPDATE',
      isReplacement: locked.has(name),
    }))
}

function isSame(name: string, before: unknown, after: unknown): boolean {
  if (name !== 'location' || before === undefined || after === undefined) return isDeepStrictEqual(before, after)
  return plainLocation(before) === plainLocation(after)
}

/** `West Europe` is `westeurope`. */
function plainLocation(location: unknown): string {
  return String(location).toLowerCase().replaceAll(' ', '')
}

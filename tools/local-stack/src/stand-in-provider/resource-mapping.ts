import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { ResourceRow } from './resource-table.ts'

export type Values = Readonly<Record<string, unknown>>

/** How the engine sends what is not known before an `up`. */
const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'
/** Input by which azure-native remembers that a name was generated, so that a replacement may exist next to it. */
export const createBeforeDelete = '__createBeforeDelete'
/** Outputs of every type that can't be inputs. */
const sharedOutputs = ['azureApiVersion', 'etag', 'name', 'provisioningState', 'systemData', 'type']

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

/** Inputs as the body of a PUT. */
export function toBody({ path, top, renamed = {} }: ResourceRow, inputs: Values): Values {
  const parameters = parametersOf(path)
  const body: Record<string, unknown> = {}
  const properties: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(inputs)) {
    if (name === createBeforeDelete) continue
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

/** The resource manager's response as outputs; `inputs` stand for what it never shows. */
export function toOutputs({ apiVersion, renamed = {}, hidden = [] }: ResourceRow, inputs: Values, body: Values) {
  const { id: _, properties = {}, ...top } = withoutNulls(body) as Values & { readonly properties?: Values }
  const back = Object.fromEntries(Object.entries(renamed).map(([ours, theirs]) => [theirs, ours]))
  const flat = Object.entries(properties).map(([name, value]) => [back[name] ?? name, value] as const)
  const kept = Object.entries(inputs).filter(([name]) => hidden.includes(name))
  return { ...Object.fromEntries([...kept, ...flat]), ...top, azureApiVersion: apiVersion }
}

/** Outputs of a resource that are known before it is created or updated; the engine treats the others as unknown. */
export function previewOutputs(inputs: Values, outputsBefore: Values = {}): Values {
  const { [createBeforeDelete]: _, ...known } = inputs
  const stable = ['name', 'location'].filter((name) => outputsBefore[name] !== undefined)
  return { ...known, ...Object.fromEntries(stable.map((name) => [name, outputsBefore[name]])) }
}

/** Inputs that would create an existing resource, for an import. */
export function toImportedInputs(row: ResourceRow, id: string, outputs: Values): Values {
  const pattern = row.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'scope' ? `(?<${name}>.+)` : `(?<${name}>[^/]+)`,
  )
  const parameters = new RegExp(`^${pattern}$`, 'i').exec(id)?.groups
  if (!parameters) throw new Error(`invalid resource id ${id}: expected ${row.path}`)
  const { subscriptionId: _, ...names } = parameters
  const filled = Object.entries(toInputs(row, outputs)).filter(([, value]) => !isEmptyCollection(value))
  return { ...Object.fromEntries(filled), ...names }
}

/** Inputs after a refresh: those from before, changed as the outputs have changed. */
export function toRefreshedInputs(row: ResourceRow, inputs: Values, before: Values, after: Values): Values {
  return applyChanges(inputs, toInputs(row, before), toInputs(row, after)) as Values
}

/** Outputs that can be inputs, in their form. */
function toInputs({ path, readOnly = [] }: ResourceRow, outputs: Values): Values {
  const others = new Set([...parametersOf(path), ...readOnly, ...sharedOutputs])
  const { identity, ...rest } = Object.fromEntries(Object.entries(outputs).filter(([name]) => !others.has(name)))
  if (!isRecord(identity)) return rest
  const { type, userAssignedIdentities: ids } = identity
  return { ...rest, identity: { type, ...(isRecord(ids) && { userAssignedIdentities: Object.keys(ids) }) } }
}

function applyChanges(inputs: unknown, before: unknown, after: unknown): unknown {
  if (!isRecord(inputs) || !isRecord(before) || !isRecord(after)) return after
  const result: Record<string, unknown> = { ...inputs }
  for (const name of namesIn(before, after)) {
    if (isDeepStrictEqual(before[name], after[name])) continue
    if (after[name] === undefined) delete result[name]
    else result[name] = name in result ? applyChanges(result[name], before[name], after[name]) : after[name]
  }
  return result
}

export interface Change {
  /** Such as `tags.environment` or `tags["cost.center"]`. */
  readonly path: string
  /** The input itself. */
  readonly name: string
  readonly kind: 'ADD' | 'DELETE' | 'UPDATE'
  readonly isReplacement: boolean
}

export function changesOf({ path, fixed = [] }: ResourceRow, before: Values, after: Values): Change[] {
  const locked = new Set(['location', ...parametersOf(path), ...fixed])
  return namesIn(before, after)
    .filter((name) => name !== createBeforeDelete && !isSameLocation(name, before[name], after[name]))
    .flatMap((name) =>
      [...changesAt(name, before[name], after[name])].map((change) => ({
        ...change,
        name,
        isReplacement: locked.has(name),
      })),
    )
}

function* changesAt(path: string, before: unknown, after: unknown): Generator<Pick<Change, 'path' | 'kind'>> {
  if (isDeepStrictEqual(before, after)) return
  if (before === undefined || after === undefined) yield { path, kind: before === undefined ? 'ADD' : 'DELETE' }
  else if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length)
    for (let index = 0; index < length; index++) yield* changesAt(`${path}[${index}]`, before[index], after[index])
  } else if (isRecord(before) && isRecord(after)) {
    for (const name of namesIn(before, after)) yield* changesAt(memberPath(path, name), before[name], after[name])
  } else yield { path, kind: 'UPDATE' }
}

/** A member's path as the engine writes it, such as `tags["cost.center"]`. */
function memberPath(path: string, name: string): string {
  return /^\w*$/.test(name) ? `${path}.${name}` : `${path}["${name.replaceAll('"', '\\"')}"]`
}

function isSameLocation(name: string, before: unknown, after: unknown): boolean {
  if (name !== 'location' || before === undefined || after === undefined) return false
  return plainLocation(before) === plainLocation(after)
}

/** `West Europe` is `westeurope`. */
function plainLocation(location: unknown): string {
  return String(location).toLowerCase().replaceAll(' ', '')
}

/** Values without members that are null, which mean the same as missing ones; arrays keep theirs, and thus their length. */
export function withoutNulls(values: Values): Values {
  return JSON.parse(JSON.stringify(values), function (this: unknown, _, value: unknown) {
    return value ?? (Array.isArray(this) ? null : undefined)
  }) as Values
}

function namesIn(...values: readonly Values[]): string[] {
  return [...new Set(values.flatMap((one) => Object.keys(one)))]
}

function isRecord(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmptyCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

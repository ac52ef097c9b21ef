import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { ResourceRow } from './resource-table.ts'

export type Values = Readonly<Record<string, unknown>>

/** The engine's placeholder for values that are unknown before an `up`. */
const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'
/** The engine's mark for values that are not plain JSON, and the one for assets. */
const signatureKey = '4dabf18193072939515e22adb298388d'
const assetSignature = 'c44067f5952c0a294b673a41bacd8c17'
/** azure-native's mark for a generated name: a replacement may exist next to the old resource. */
export const createBeforeDelete = '__createBeforeDelete'
/** Outputs of every type that cannot be inputs. */
const sharedOutputs = ['azureApiVersion', 'etag', 'name', 'provisioningState', 'systemData', 'type']

export function isUnknown(value: unknown): boolean {
  return value === unknown
}

/** File or text that the engine passes on by its path or content. */
export interface Asset {
  readonly hash: string
  readonly path?: string
  readonly text?: string
}

export function isAsset(value: unknown): value is Asset {
  return isRecord(value) && value[signatureKey] === assetSignature
}

export function getParameters(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
}

/** Fills in a path's parameters; `subscriptionId` is the provider's own. */
export function toPath(path: string, inputs: Values, subscriptionId: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'subscriptionId' ? subscriptionId : String(inputs[name]),
  )
}

/** Generates the name of a resource that was given none; the same seed gives the same name. */
export function generateName({ naming }: ResourceRow, logicalName: string, seed: Uint8Array): string {
  const hex = hash('sha256', seed)
  if (naming === 'copy') return logicalName
  if (naming === undefined) return `${logicalName}${hex.slice(0, 8)}`
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

/** Converts inputs to the body of a PUT. */
export function toBody({ path, top = [], renamed = {} }: ResourceRow, inputs: Values): Values {
  const parameters = getParameters(path)
  const body: Record<string, unknown> = {}
  const properties: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(inputs)) {
    if (name === createBeforeDelete) continue
    if (top.includes(name)) body[name] = name === 'identity' ? toIdentity(value as Values) : value
    else if (!parameters.includes(name)) properties[renamed[name] ?? name] = value
  }
  return { ...body, properties }
}

/** azure-native lists identities; the resource manager uses them as keys. */
function toIdentity({ userAssignedIdentities: ids, ...rest }: Values): Values {
  if (!Array.isArray(ids)) return rest
  return { ...rest, userAssignedIdentities: Object.fromEntries(ids.map((id: string) => [id, {}])) }
}

/** Converts the resource manager's response to outputs; values that it never returns are taken from `inputs`. */
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

/** Returns the inputs that would create an existing resource, for an import. */
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

/** Applies the changes of the outputs to the inputs, for a refresh. */
export function toRefreshedInputs(row: ResourceRow, inputs: Values, before: Values, after: Values): Values {
  return applyChanges(inputs, toInputs(row, before), toInputs(row, after)) as Values
}

/** Converts outputs to inputs, without those that cannot be inputs. */
function toInputs({ path, readOnly = [] }: ResourceRow, outputs: Values): Values {
  const others = new Set([...getParameters(path), ...readOnly, ...sharedOutputs])
  const { identity, ...rest } = Object.fromEntries(Object.entries(outputs).filter(([name]) => !others.has(name)))
  if (!isRecord(identity)) return rest
  const { type, userAssignedIdentities: ids } = identity
  return { ...rest, identity: { type, ...(isRecord(ids) && { userAssignedIdentities: Object.keys(ids) }) } }
}

function applyChanges(inputs: unknown, before: unknown, after: unknown): unknown {
  if (!isRecord(inputs) || !isRecord(before) || !isRecord(after)) return after
  const result: Record<string, unknown> = { ...inputs }
  for (const name of collectNames(before, after)) {
    if (isDeepStrictEqual(before[name], after[name])) continue
    if (after[name] === undefined) delete result[name]
    else result[name] = name in result ? applyChanges(result[name], before[name], after[name]) : after[name]
  }
  return result
}

export interface Change {
  /** Such as `tags.environment` or `tags["cost.center"]`. */
  readonly path: string
  /** Name of the input that contains the change. */
  readonly name: string
  readonly kind: 'ADD' | 'DELETE' | 'UPDATE'
  readonly isReplacement: boolean
}

export function findChanges({ path, fixed = [] }: ResourceRow, before: Values, after: Values): Change[] {
  const locked = new Set(['location', ...getParameters(path), ...fixed])
  return collectNames(before, after)
    .filter((name) => name !== createBeforeDelete && !isSameLocation(name, before[name], after[name]))
    .flatMap((name) =>
      [...findChangesAt(name, before[name], after[name])].map((change) => ({
        ...change,
        name,
        isReplacement: locked.has(name),
      })),
    )
}

function* findChangesAt(path: string, before: unknown, after: unknown): Generator<Pick<Change, 'path' | 'kind'>> {
  if (isDeepStrictEqual(before, after)) return
  if (isAsset(before) && isAsset(after)) {
    // The same content may be at another path.
    if (before.hash !== after.hash) yield { path, kind: 'UPDATE' }
  } else if (before === undefined || after === undefined) yield { path, kind: before === undefined ? 'ADD' : 'DELETE' }
  else if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length)
    for (let index = 0; index < length; index++) yield* findChangesAt(`${path}[${index}]`, before[index], after[index])
  } else if (isRecord(before) && isRecord(after)) {
    for (const name of collectNames(before, after))
      yield* findChangesAt(toMemberPath(path, name), before[name], after[name])
  } else yield { path, kind: 'UPDATE' }
}

/** Path of a member in the engine's form, such as `tags["cost.center"]`. */
function toMemberPath(path: string, name: string): string {
  return /^\w*$/.test(name) ? `${path}.${name}` : `${path}["${name.replaceAll('"', '\\"')}"]`
}

function isSameLocation(name: string, before: unknown, after: unknown): boolean {
  return name === 'location' && normalizeLocation(before) === normalizeLocation(after)
}

/** `West Europe` equals `westeurope`. */
function normalizeLocation(location: unknown): string {
  return String(location).toLowerCase().replaceAll(' ', '')
}

/** Removes members that are null, since these equal missing ones. Arrays keep theirs, and thus their length. */
export function withoutNulls(values: Values): Values {
  return JSON.parse(JSON.stringify(values), function (this: unknown, _, value: unknown) {
    return value ?? (Array.isArray(this) ? null : undefined)
  }) as Values
}

function collectNames(...values: readonly Values[]): string[] {
  return [...new Set(values.flatMap((one) => Object.keys(one)))]
}

function isRecord(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmptyCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

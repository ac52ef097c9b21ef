import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { TypedRow } from './find-row.ts'
import { getInputs, getMembers, type Inputs, type InputType } from './input-types.ts'
import type { ResourceRow } from './resource-table.ts'
import { isRecord, withoutNulls, type Values } from './struct-values.ts'

/** azure-native's mark for a generated name: a replacement may exist next to the old resource. */
export const createBeforeDelete = '__createBeforeDelete'
/** Inputs that the provider adds and does not send. */
const ownInputs = new Set([createBeforeDelete, 'azureApiVersion'])

export function getParameters(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
}

/** Fills in a path's parameters; `subscriptionId` is the provider's own. */
export function toPath(path: string, inputs: Values, subscriptionId: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (name === 'subscriptionId') return subscriptionId
    // An id, unlike a name, is several segments.
    if (name === 'scope') return `/${String(inputs[name]).replaceAll(/^\/+|\/+$/g, '')}`
    return encodeURIComponent(String(inputs[name]))
  })
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

/**
 * Converts inputs to the body of a PUT. An identity that is no longer among `before` becomes null, which removes it, and which
 * only a PATCH may contain.
 */
export function toBody({ path, top = [], renamed = {} }: ResourceRow, inputs: Values, before: Values = {}): Values {
  const parameters = getParameters(path)
  const body: Record<string, unknown> = {}
  const properties: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(inputs)) {
    if (ownInputs.has(name)) continue
    if (name === 'identity' && top.includes(name)) body[name] = toIdentity(value as Identity, before[name] as Identity)
    else if (top.includes(name)) body[name] = value
    else if (!parameters.includes(name)) properties[renamed[name] ?? name] = value
  }
  return { ...body, properties }
}

interface Identity {
  readonly userAssignedIdentities?: readonly string[]
}

/** azure-native lists identities; the resource manager uses them as keys. */
function toIdentity({ userAssignedIdentities: ids, ...rest }: Identity, before: Identity = {}): Values {
  if (!ids) return rest
  const removed = (before.userAssignedIdentities ?? []).filter((id) => !ids.includes(id))
  const entries = [...ids.map((id) => [id, {}] as const), ...removed.map((id) => [id, null] as const)]
  return { ...rest, userAssignedIdentities: Object.fromEntries(entries) }
}

export function hasNull(value: unknown): boolean {
  return value === null || (isRecord(value) && Object.values(value).some(hasNull))
}

/** Converts the resource manager's response to outputs. */
export function toOutputs({ apiVersion, renamed = {} }: ResourceRow, body: Values): Values {
  const { id: _, properties = {}, ...top } = withoutNulls(body) as Values & { readonly properties?: Values }
  const back = Object.fromEntries(Object.entries(renamed).map(([ours, theirs]) => [theirs, ours]))
  const flat = Object.entries(properties).map(([name, value]) => [back[name] ?? name, value] as const)
  return { ...Object.fromEntries(flat), ...top, azureApiVersion: apiVersion }
}

/** Outputs of a resource that are known before it is created or updated; the engine treats the others as unknown. */
export function previewOutputs(inputs: Values, outputsBefore: Values = {}): Values {
  const { [createBeforeDelete]: _, ...known } = inputs
  const stable = ['name', 'location'].filter((name) => outputsBefore[name] !== undefined)
  return { ...known, ...Object.fromEntries(stable.map((name) => [name, outputsBefore[name]])) }
}

/** Returns the inputs that would create an existing resource, for an import. */
export function toImportedInputs(row: TypedRow, id: string, outputs: Values): Values {
  const pattern = row.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'scope' ? `(?<${name}>.+)` : `(?<${name}>[^/]+)`,
  )
  const parameters = new RegExp(`^${pattern}$`, 'i').exec(id)?.groups
  if (!parameters) throw new Error(`invalid resource id ${id}: expected ${row.path}`)
  const { subscriptionId: _, ...names } = parameters
  return { ...withoutEmptyCollections(toInputs(row, outputs)), ...names }
}

/** Applies the changes of the outputs to the inputs, for a refresh. */
export function toRefreshedInputs(row: TypedRow, inputs: Values, before: Values, after: Values): Values {
  return applyChanges(inputs, toInputs(row, before), toInputs(row, after)) as Values
}

/** Converts outputs to inputs: keeps what the type declares as inputs, except the parameters of the path. */
function toInputs({ path, type }: TypedRow, outputs: Values): Values {
  const { azureApiVersion: _, ...declared } = getInputs(type)
  const parameters = getParameters(path)
  return toDeclared(
    Object.fromEntries(Object.entries(declared).filter(([name]) => !parameters.includes(name))),
    outputs,
  )
}

function toDeclared(inputs: Inputs, outputs: Values): Values {
  const known = Object.entries(inputs).filter(([name]) => outputs[name] !== undefined)
  return Object.fromEntries(known.map(([name, { type }]) => [name, toDeclaredValue(type, outputs[name])]))
}

function toDeclaredValue({ type, items, reference }: InputType, value: unknown): unknown {
  if (Array.isArray(value)) return items ? value.map((item) => toDeclaredValue(items, item)) : value
  if (!isRecord(value)) return value
  // A set of strings, such as identities.
  if (type === 'array') return Object.keys(value)
  return reference === undefined ? value : toDeclared(getMembers(reference), value)
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

export function collectNames(...values: readonly Values[]): string[] {
  return [...new Set(values.flatMap((one) => Object.keys(one)))]
}

/** Removes empty objects and lists, at any depth. */
function withoutEmptyCollections(values: Values): Values {
  const filled = Object.entries(values).map(([name, value]) => [
    name,
    isRecord(value) ? withoutEmptyCollections(value) : value,
  ])
  return Object.fromEntries(filled.filter(([, value]) => !isEmptyCollection(value)))
}

function isEmptyCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

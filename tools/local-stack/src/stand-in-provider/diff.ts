import { isDeepStrictEqual } from 'node:util'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import { findRowOfUrn } from './find-row.ts'
import { collectNames, createBeforeDelete, getParameters } from './resource-mapping.ts'
import type { ResourceRow } from './resource-table.ts'
import { isAsset, isRecord, toValues, type Values } from './struct-values.ts'

interface Change {
  /** Such as `tags.environment` or `tags["cost.center"]`. */
  readonly path: string
  /** Name of the input that contains the change. */
  readonly name: string
  readonly kind: 'ADD' | 'DELETE' | 'UPDATE'
  readonly isReplacement: boolean
}

export async function diff(request: provider.DiffRequest) {
  const outputs = toValues(request.getOlds())
  const inputs = toValues(request.getOldInputs())
  // An imported resource has no such input.
  const azureApiVersion = inputs['azureApiVersion'] ?? outputs['azureApiVersion']
  const before: Values = { ...inputs, ...(azureApiVersion !== undefined && { azureApiVersion }) }
  const changes = findChanges(findRowOfUrn(request.getUrn()), before, toValues(request.getNews()), outputs)
  const replaces = changes.filter(({ isReplacement }) => isReplacement).map(({ path }) => path)
  const { DiffChanges } = provider.DiffResponse
  const response = new provider.DiffResponse()
    .setChanges(changes.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE)
    .setDiffsList(changes.map(({ name }) => name))
    .setReplacesList(replaces)
    .setHasdetaileddiff(true)
    // A replacement needs another name than the old resource: a generated name differs, a given one does not.
    .setDeletebeforereplace(replaces.length > 0 && before[createBeforeDelete] !== true)
  for (const { path, kind, isReplacement } of changes) {
    const key = isReplacement ? (`${kind}_REPLACE` as const) : kind
    response
      .getDetaileddiffMap()
      .set(path, new provider.PropertyDiff().setKind(provider.PropertyDiff.Kind[key]).setInputdiff(true))
  }
  return response
}

function findChanges({ path, fixed = [] }: ResourceRow, before: Values, after: Values, outputs: Values): Change[] {
  const locked = new Set(['location', ...getParameters(path), ...fixed])
  /** Whether an input that was added states what the resource already has. */
  const isKnown = (name: string) => before[name] === undefined && isDeepStrictEqual(after[name], outputs[name])
  return collectNames(before, after)
    .filter((name) => !name.startsWith('__') && !isSameName(name, before[name], after[name]))
    .flatMap((name) =>
      [...findChangesAt(name, before[name], after[name])].map((change) => ({
        ...change,
        name,
        isReplacement: locked.has(name) && !isKnown(name),
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

/** Whether two values are spellings of the same: `West Europe` and `westeurope`, or the name of a group in another case. */
function isSameName(input: string, before: unknown, after: unknown): boolean {
  if (input !== 'location' && input !== 'resourceGroupName') return false
  return normalize(before) === normalize(after)
}

function normalize(name: unknown): string {
  return String(name).toLowerCase().replaceAll(' ', '')
}

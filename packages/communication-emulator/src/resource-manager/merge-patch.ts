import { isObject } from '../raw-request.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** Returns the target with a patch applied (RFC 7396): `null` removes a member. Like Azure, it replaces tags as a whole. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(target))
  for (const [name, value] of Object.entries(patch)) {
    const before = merged.get(name)
    if (value === null) merged.delete(name)
    else if (isObject(value)) merged.set(name, mergePatch(isObject(before) && name !== 'tags' ? before : {}, value))
    else merged.set(name, value)
  }
  return Object.fromEntries(merged)
}

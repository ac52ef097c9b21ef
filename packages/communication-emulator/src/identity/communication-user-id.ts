import { drawRandom } from '../random.ts'

const pattern = /^8:acs:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_([0-9a-f]{8})-((?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/i

/**
 * Returns `8:acs:<resource guid>_<suffix>`; the suffix is a counter and a random tail in the form of a GUID.
 * A second `_` would make newer SDKs parse it as another kind of identifier.
 */
// guess(suffix): only its form and its small first group were seen.
export function formatCommunicationUserId(resourceGuid: string, counter: number, tail: string): string {
  return `8:acs:${resourceGuid}_${counter.toString(16).padStart(8, '0')}-${tail}`
}

export function parseCommunicationUserId(id: string) {
  const match = pattern.exec(id)
  if (!match) return undefined
  return {
    resourceGuid: match[1]!.toLowerCase(),
    counter: Number.parseInt(match[2]!, 16),
    tail: match[3]!.toLowerCase(),
  }
}

export function createTail(): string {
  const hex = drawRandom(12).toString('hex')
  return `${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8, 12)}-${hex.slice(12)}`
}

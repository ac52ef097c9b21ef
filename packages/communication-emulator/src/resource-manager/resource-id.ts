/** A resource's place: its scope, its type and its name. Ids are compared without regard to case. */
export interface ResourceId {
  /** As it was first written. */
  readonly id: string
  readonly key: string
  readonly subscription: string
  readonly group: string | undefined
  /** `Microsoft.Storage/storageAccounts/tableServices`; of a group `Microsoft.Resources/resourceGroups`. */
  readonly type: string
  readonly name: string
  /** Of what it is in or on: a parent resource, a group, a subscription. */
  readonly parent: string
}

/** What a request is about. */
export type Target =
  | { readonly kind: 'resource'; readonly id: ResourceId }
  /** Everything of a type below a scope; a scope may be empty for the whole of Azure. */
  | { readonly kind: 'collection'; readonly scope: string; readonly type: string }
  /** Or a collection of children: which one is for the types to say. */
  | { readonly kind: 'word'; readonly id: ResourceId; readonly word: string }
  /** Of a provider, such as `checkNameAvailability`; the word may have slashes. */
  | { readonly kind: 'provider'; readonly scope: string; readonly provider: string; readonly word: string }
  | { readonly kind: 'subscription'; readonly subscription: string; readonly word: string }
  | { readonly kind: 'tenants' }

export const groupType = 'Microsoft.Resources/resourceGroups'

/** Compares names and types, which ignore case. */
export function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** Undefined for what is no path of the resource manager. */
export function parseTarget(path: string): Target | undefined {
  const segments = path.split('/').filter((segment) => segment !== '')
  const [root = '', subscription = ''] = segments
  if (root.toLowerCase() === 'tenants' && segments.length === 1) return { kind: 'tenants' }
  const isRoot = root.toLowerCase() === 'providers'
  if (!isRoot && root.toLowerCase() !== 'subscriptions') return undefined
  if (!isRoot && segments.length <= 1) return { kind: 'subscription', subscription: '', word: '' }
  let at = isRoot ? 0 : 2
  let scope = isRoot ? '' : `/subscriptions/${subscription}`
  let resource: ResourceId | undefined
  const isGroups = /^resourcegroups$/i.test(segments[at] ?? '')
  if (isGroups && segments.length === at + 1) return { kind: 'collection', scope, type: groupType }
  if (isGroups) {
    const name = segments[at + 1]!
    resource = toId({ subscription, type: groupType, name, parent: scope, id: `${scope}/resourceGroups/${name}` })
    scope = resource.id
    at += 2
  }
  while (at < segments.length && /^providers$/i.test(segments[at]!)) {
    const provider = segments[at + 1] ?? ''
    at += 2
    let type = provider
    let parent = scope
    let id = `${scope}/providers/${provider}`
    const first = at
    while (at + 1 < segments.length && !/^providers$/i.test(segments[at]!)) {
      const [word, name] = [segments[at]!, segments[at + 1]!]
      type += `/${word}`
      id += `/${word}/${name}`
      resource = toId({ subscription, type, name, parent, id })
      parent = id
      at += 2
    }
    if (at === first || (isRoot && resource === undefined)) {
      return { kind: 'provider', scope, provider, word: segments.slice(at).join('/') }
    }
    scope = parent
  }
  const word = segments.slice(at).join('/')
  if (!resource) return { kind: 'subscription', subscription, word }
  return word === '' ? { kind: 'resource', id: resource } : { kind: 'word', id: resource, word }
}

function toId(parts: Omit<ResourceId, 'key' | 'group'>): ResourceId {
  const group = /\/resourceGroups\/([^/]+)/i.exec(parts.id)?.[1]
  return { ...parts, key: parts.id.toLowerCase(), group }
}

/** Id of a resource with its parts. */
export interface ResourceId {
  /** The id in its original spelling. */
  readonly id: string
  /** The id in lower case, for comparisons. */
  readonly key: string
  /** Empty for a resource of the tenant. */
  readonly subscription: string
  /** `Microsoft.Storage/storageAccounts/tableServices`; for a group `Microsoft.Resources/resourceGroups`. */
  readonly type: string
  readonly name: string
  /** Scope that contains it. */
  readonly scope: Scope
}

/** Parent of resources: a resource, a group, a subscription, or the tenant, whose id is empty. */
export interface Scope {
  readonly id: string
  readonly resource?: ResourceId
}

/** Target of a request, parsed from its path. */
export type Target =
  | { readonly kind: 'tenants' }
  | { readonly kind: 'subscriptions' }
  /** `word` follows the subscription, such as `resources`; it may be empty. */
  | { readonly kind: 'subscription'; readonly subscription: string; readonly word: string }
  | { readonly kind: 'groups'; readonly scope: Scope }
  /** `word` is an action such as `register`, the type of a collection, or empty. */
  | { readonly kind: 'provider'; readonly scope: Scope; readonly namespace: string; readonly word: string }
  | { readonly kind: 'resource'; readonly id: ResourceId }
  /** `word` is an action such as `listKeys`, or the type of a collection. */
  | { readonly kind: 'member'; readonly id: ResourceId; readonly word: string }

export const groupType = 'Microsoft.Resources/resourceGroups'

/** Compares names or types, ignoring case. */
export function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** Whether an id is that of a scope, or of anything below it. */
export function isAtOrBelow(id: string, scope: string): boolean {
  return `${id}/`.toLowerCase().startsWith(`${scope}/`.toLowerCase())
}

/** Splits a type at its first slash: `Microsoft.Storage` and `storageAccounts/tableServices`. */
export function splitType(type: string): [namespace: string, ownType: string] {
  const slash = type.indexOf('/')
  return [type.slice(0, slash), type.slice(slash + 1)]
}

/** Parses a path: pairs of a type and a name, and optionally a last word. Returns undefined for any other path. */
export function parseTarget(path: string): Target | undefined {
  const segments = path.split('/').filter((segment) => segment !== '')
  const word = segments.length % 2 === 1 ? segments.pop()! : ''
  const pairs = Array.from({ length: segments.length / 2 }, (_, index) => segments.slice(2 * index, 2 * index + 2))
  let scope: Scope = { id: '' }
  // Defined between `providers/<namespace>` and the first type that follows.
  let namespace: string | undefined
  for (const [type = '', name = ''] of pairs) {
    const { id, resource } = scope
    if (namespace !== undefined) {
      scope = enter(scope, `providers/${namespace}/${type}/${name}`, `${namespace}/${type}`, name)
      namespace = undefined
    } else if (isSame(type, 'providers')) namespace = name
    else if (resource) scope = enter(scope, `${type}/${name}`, `${resource.type}/${type}`, name)
    else if (id === '' && isSame(type, 'subscriptions')) scope = { id: `/subscriptions/${name}` }
    else if (isSame(type, 'resourceGroups')) scope = enter(scope, `resourceGroups/${name}`, groupType, name)
    else return undefined
  }
  if (namespace !== undefined) return { kind: 'provider', scope, namespace, word }
  if (isSame(word, 'providers')) return { kind: 'provider', scope, namespace: '', word: '' }
  if (scope.resource) {
    return word === '' ? { kind: 'resource', id: scope.resource } : { kind: 'member', id: scope.resource, word }
  }
  if (scope.id !== '') {
    const subscription = scope.id.slice('/subscriptions/'.length)
    return isSame(word, 'resourceGroups') ? { kind: 'groups', scope } : { kind: 'subscription', subscription, word }
  }
  return ([{ kind: 'tenants' }, { kind: 'subscriptions' }] as const).find(({ kind }) => isSame(kind, word))
}

function enter(scope: Scope, path: string, type: string, name: string): Scope {
  const id = `${scope.id}/${path}`
  const subscription = /^\/subscriptions\/([^/]+)/.exec(id)?.[1] ?? ''
  return { id, resource: { id, key: id.toLowerCase(), subscription, type, name, scope } }
}

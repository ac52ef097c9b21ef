import {
  customIdApiVersion,
  firstApiVersion,
  identityApiVersions,
  isSince,
  undescribedApiVersion,
  type ApiVersion,
} from './api-versions.ts'

export const identityOperations = [
  'createIdentity',
  'getIdentity',
  'deleteIdentity',
  'issueAccessToken',
  'revokeAccessTokens',
  'exchangeTeamsUserAccessToken',
] as const

export type Operation = (typeof identityOperations)[number]

interface Route {
  readonly method: string
  readonly pattern: RegExp
  readonly operation: Operation
  readonly versions: readonly ApiVersion[]
}

const first = [firstApiVersion] as const
export const teamsApiVersions = identityApiVersions.filter(
  (version) => isSince(version, '2021-03-31-preview1') && version !== undescribedApiVersion,
)
const later = identityApiVersions.filter((version) => isSince(version, '2021-02-22-preview1'))

// guess(paths): paths are case-insensitive, and may begin with two slashes, which an endpoint that ends in a slash produces.
// Patterns match the decoded path, since SDKs send the colons of ids both plain and escaped. The colon of
// `/:issueAccessToken` is literal.
const routes: readonly Route[] = [
  { method: 'POST', pattern: /^\/{1,2}identities$/i, operation: 'createIdentity', versions: identityApiVersions },
  {
    method: 'GET',
    pattern: /^\/{1,2}identities\/([^/]+)$/i,
    operation: 'getIdentity',
    versions: [customIdApiVersion],
  },
  {
    method: 'DELETE',
    pattern: /^\/{1,2}identities\/([^/]+)$/i,
    operation: 'deleteIdentity',
    versions: identityApiVersions,
  },
  { method: 'PATCH', pattern: /^\/{1,2}identities\/([^/]+)$/i, operation: 'revokeAccessTokens', versions: first },
  { method: 'POST', pattern: /^\/{1,2}identities\/([^/]+)\/token$/i, operation: 'issueAccessToken', versions: first },
  {
    method: 'POST',
    pattern: /^\/{1,2}identities\/([^/]+)\/:issueAccessToken$/i,
    operation: 'issueAccessToken',
    versions: later,
  },
  {
    method: 'POST',
    pattern: /^\/{1,2}identities\/([^/]+)\/:revokeAccessTokens$/i,
    operation: 'revokeAccessTokens',
    versions: later,
  },
  {
    method: 'POST',
    pattern: /^\/{1,2}teamsUser\/:exchangeAccessToken$/i,
    operation: 'exchangeTeamsUserAccessToken',
    versions: teamsApiVersions,
  },
]

export type Match =
  | { readonly kind: 'found'; readonly route: Route; readonly communicationUserId: string }
  | { readonly kind: 'other-method'; readonly allowed: readonly string[] }
  | { readonly kind: 'none' }

/** Finds the route of a decoded path, in any api-version. */
export function matchRoute(method: string, path: string): Match {
  const onPath = routes.filter((route) => route.pattern.test(path))
  if (onPath.length === 0) return { kind: 'none' }
  const route = onPath.find((candidate) => candidate.method === method)
  if (!route) return { kind: 'other-method', allowed: onPath.map((candidate) => candidate.method) }
  return { kind: 'found', route, communicationUserId: route.pattern.exec(path)![1] ?? '' }
}

import { decodePath, type RawRequest } from '../raw-request.ts'
import {
  customIdApiVersion,
  firstApiVersion,
  identityApiVersions,
  isSince,
  undescribedApiVersion,
} from './api-versions.ts'

const first = [firstApiVersion] as const
const later = identityApiVersions.filter((version) => isSince(version, '2021-02-22-preview1'))
export const teamsApiVersions = identityApiVersions.filter(
  (version) => isSince(version, '2021-03-31-preview1') && version !== undescribedApiVersion,
)

// guess(paths): paths are case-insensitive, and may begin with two slashes, which an endpoint that ends in a slash produces.
// Patterns match the decoded path, since SDKs send the colons of ids both plain and escaped.
const identities = /^\/{1,2}identities$/i
const identity = /^\/{1,2}identities\/([^/]+)$/i
const token = /^\/{1,2}identities\/([^/]+)\/token$/i
const issue = /^\/{1,2}identities\/([^/]+)\/:issueAccessToken$/i
const revoke = /^\/{1,2}identities\/([^/]+)\/:revokeAccessTokens$/i
const exchange = /^\/{1,2}teamsUser\/:exchangeAccessToken$/i

const routes = [
  { method: 'POST', pattern: identities, operation: 'createIdentity', versions: identityApiVersions },
  { method: 'GET', pattern: identity, operation: 'getIdentity', versions: [customIdApiVersion] },
  { method: 'DELETE', pattern: identity, operation: 'deleteIdentity', versions: identityApiVersions },
  { method: 'POST', pattern: token, operation: 'issueAccessToken', versions: first },
  { method: 'POST', pattern: issue, operation: 'issueAccessToken', versions: later },
  { method: 'PATCH', pattern: identity, operation: 'revokeAccessTokens', versions: first },
  { method: 'POST', pattern: revoke, operation: 'revokeAccessTokens', versions: later },
  { method: 'POST', pattern: exchange, operation: 'exchangeTeamsUserAccessToken', versions: teamsApiVersions },
] as const

type Route = (typeof routes)[number]
export type Operation = Route['operation']

export const identityOperations: readonly Operation[] = [...new Set(routes.map(({ operation }) => operation))]

export interface Match {
  /** The route of the path and method. */
  readonly route: Route | undefined
  /** Methods of the routes with this path. */
  readonly allowed: readonly string[]
  /** Empty on a path without one. */
  readonly communicationUserId: string
}

/** Finds the route of a request, in any api-version and before any check. */
export function matchRoute({ method, path: rawPath }: RawRequest): Match {
  const path = decodePath(rawPath)
  const onPath = routes.filter(({ pattern }) => pattern.test(path))
  const route = onPath.find((candidate) => candidate.method === method)
  const communicationUserId = route?.pattern.exec(path)?.[1] ?? ''
  return { route, allowed: onPath.map((candidate) => candidate.method), communicationUserId }
}

import { decodePath, type RawRequest } from '../raw-request.ts'
import {
  entraUsersApiVersion,
  firstApiVersion,
  formatSupportedVersions,
  identityApiVersions,
  isSince,
  undescribedApiVersion,
  type ApiVersion,
} from './api-versions.ts'

const first = [firstApiVersion] as const
const later = identityApiVersions.filter((version) => isSince(version, '2021-02-22-preview1'))
const teams = identityApiVersions.filter(
  (version) => isSince(version, '2021-03-31-preview1') && version !== undescribedApiVersion,
)
const entra = [entraUsersApiVersion] as const
const extension = identityApiVersions.filter(
  (version) => version === '2025-03-02-preview' || isSince(version, '2025-06-30'),
)

// guess(paths): paths are case-insensitive, and may begin with two slashes, which an endpoint that ends in a slash produces.
/** Returns the pattern of a decoded path, since SDKs send the colons of ids both plain and escaped. */
function toPattern(path: string): RegExp {
  return new RegExp(`^/{1,2}${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`, 'i')
}

/** Groups of routes by the beginning of their path. Each group has its own `api-supported-versions`. */
const groups = {
  identities: [
    ['POST', '', 'createIdentity', identityApiVersions],
    ['GET', '/{communicationUserId}', 'getIdentity', entra],
    ['DELETE', '/{communicationUserId}', 'deleteIdentity', identityApiVersions],
    ['POST', '/{communicationUserId}/token', 'issueAccessToken', first],
    ['POST', '/{communicationUserId}/:issueAccessToken', 'issueAccessToken', later],
    ['PATCH', '/{communicationUserId}', 'revokeAccessTokens', first],
    ['POST', '/{communicationUserId}/:revokeAccessTokens', 'revokeAccessTokens', later],
  ],
  teamsUser: [['POST', '/:exchangeAccessToken', 'exchangeTeamsUserAccessToken', teams]],
  'access/teamsExtension': [
    ['POST', '/:exchangeAccessToken', 'exchangeTeamsExtensionAccessToken', extension],
    ['GET', '/tenants/{tenantId}/assignments/{objectId}', 'getTeamsExtensionAssignment', extension],
    ['PUT', '/tenants/{tenantId}/assignments/{objectId}', 'putTeamsExtensionAssignment', extension],
    ['DELETE', '/tenants/{tenantId}/assignments/{objectId}', 'deleteTeamsExtensionAssignment', extension],
  ],
  'access/entra': [
    ['POST', '/:exchangeAccessToken', 'exchangeEntraAccessToken', entra],
    ['GET', '/assignments', 'listEntraAssignments', entra],
    ['PATCH', '/assignments', 'updateEntraAssignments', entra],
    ['GET', '/assignments/{objectId}', 'getEntraAssignment', entra],
    ['PUT', '/assignments/{objectId}', 'putEntraAssignment', entra],
    ['DELETE', '/assignments/{objectId}', 'deleteEntraAssignment', entra],
  ],
} as const

export type Operation = (typeof groups)[keyof typeof groups][number][2]

interface Route {
  readonly method: string
  readonly pattern: RegExp
  readonly operation: Operation
  readonly versions: readonly ApiVersion[]
  /** Whether the route authenticates a user with an Entra ID token, instead of the owner of the resource. */
  readonly isForUsers: boolean
  /** Value of the header `api-supported-versions`, which lists the versions of all routes of the group. */
  readonly supportedVersions: string
}

const routes: readonly Route[] = Object.entries(groups).flatMap(([prefix, group]) => {
  const groupVersions = identityApiVersions.filter((version) =>
    group.some(([, , , versions]) => (versions as readonly ApiVersion[]).includes(version)),
  )
  const supportedVersions = formatSupportedVersions(groupVersions)
  return group.map(([method, path, operation, versions]) => ({
    method,
    pattern: toPattern(`${prefix}${path}`),
    operation,
    versions,
    isForUsers: prefix.startsWith('access/') && path === '/:exchangeAccessToken',
    supportedVersions,
  }))
})

export const identityOperations: readonly Operation[] = [...new Set(routes.map(({ operation }) => operation))]

/** Parameters of a path; empty on a path without them. */
const noParameters = { communicationUserId: '', tenantId: '', objectId: '' }
export type PathParameters = Readonly<typeof noParameters>

export interface Match {
  /** The route of the path and method. */
  readonly route: Route | undefined
  /** Methods of the routes with this path, if none has the method of the request. */
  readonly allowed: readonly string[]
  readonly parameters: PathParameters
}

/** Finds the route of a request, in any api-version and before any check. */
export function matchRoute({ method, path: rawPath }: RawRequest): Match {
  const path = decodePath(rawPath)
  const route = routes.find((candidate) => candidate.method === method && candidate.pattern.test(path))
  const parameters = { ...noParameters, ...route?.pattern.exec(path)?.groups }
  const allowed = route ? [] : routes.filter(({ pattern }) => pattern.test(path)).map((other) => other.method)
  return { route, allowed, parameters }
}

import type { EntraTokens } from '../entra/entra-tokens.ts'
import type { RawRequest, RawResponse } from '../raw-request.ts'
import type { Resource } from '../resource.ts'
import { formatSupportedVersions, identityApiVersions, readApiVersion } from './api-versions.ts'
import { authenticateBearer, isBearer } from './bearer.ts'
import { isPreflight } from './cors.ts'
import { denied, ServiceError } from './errors.ts'
import { authenticateHmac } from './hmac.ts'
import type { IdentityOperations } from './identity-operations.ts'
import { teamsApiVersions, type Match } from './routes.ts'
import type { IssuingKey } from './token-issuer.ts'

export type IdentityPlane = ReturnType<typeof createIdentityPlane>

/** Creates the handler of the identity routes, which authenticates requests and passes them to their operations. */
export function createIdentityPlane(
  operations: IdentityOperations,
  entraTokens: EntraTokens,
  { loose }: { loose: boolean },
) {
  // guess(check-order): signature, route, api-version; then, as the recordings show, required members, ownership and the
  // rest of the validation; then quota and existence.
  async function respond(request: RawRequest, resource: Resource, match: Match): Promise<RawResponse> {
    const key = await authenticate(request, resource)
    const { route, allowed, communicationUserId } = match
    if (!route) throw allowed.length === 0 ? notFound(request.path) : methodNotAllowed(request.method, allowed)
    const version = readApiVersion(request, route.versions, { loose })
    const response = await operations[route.operation]({ request, resource, key, version, communicationUserId })
    return withSupportedVersions({ ...(communicationUserId && { communicationUserId }), ...response }, match)
  }

  async function authenticate(request: RawRequest, resource: Resource): Promise<IssuingKey> {
    const { isLocalAuthDisabled, isPublicAccessDisabled } = resource.restriction
    // guess(public-access)
    if (isPublicAccessDisabled) {
      throw new ServiceError(403, 'Forbidden', 'Public network access to the resource is disabled.')
    }
    if (isBearer(request)) return authenticateBearer(request, entraTokens)
    // guess(local-auth)
    if (isLocalAuthDisabled) {
      throw denied('LocalAuthDisabled', 'Access keys are disabled (disableLocalAuth): use an Entra ID token.')
    }
    return authenticateHmac(request, resource.keys, { loose })
  }

  /** Throws a `ServiceError`. */
  return async function handle(request: RawRequest, resource: Resource, match: Match): Promise<RawResponse> {
    if (isPreflight(request)) return { status: 204 }
    return respond(request, resource, match).catch((error: unknown) => {
      if (error instanceof ServiceError && error.isFromAction) return withSupportedVersions(error.response, match)
      throw error
    })
  }
}

/** Adds the versions of the route's group, whichever of its routes a version has. */
function withSupportedVersions(response: RawResponse, match: Match): RawResponse {
  const isTeams = match.route?.operation === 'exchangeTeamsUserAccessToken'
  const versions = formatSupportedVersions(isTeams ? teamsApiVersions : identityApiVersions)
  return { ...response, headers: { ...response.headers, 'api-supported-versions': versions } }
}

// guess(unknown-route)
function notFound(path: string): ServiceError {
  return new ServiceError(404, 'NotFound', 'The requested resource does not exist.', {
    innererror: { code: 'UnknownRoute', message: `The emulator does not serve ${path}.` },
  })
}

// guess(other-method)
function methodNotAllowed(method: string, allowed: readonly string[]): ServiceError {
  return new ServiceError(405, 'MethodNotAllowed', `The requested resource does not support http method '${method}'.`, {
    headers: { Allow: [...new Set(allowed)].join(', ') },
  })
}

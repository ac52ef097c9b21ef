import type { EntraTokens } from '../entra/entra-tokens.ts'
import type { RawRequest, RawResponse } from '../raw-request.ts'
import type { Resource } from '../resource.ts'
import { readApiVersion } from './api-versions.ts'
import { authenticateBearer, getBearerToken, noKey } from './bearer.ts'
import { isPreflight } from '../cors.ts'
import { denied, ServiceError } from './errors.ts'
import { authenticateHmac } from './hmac.ts'
import type { IdentityOperations } from './identity-operations.ts'
import type { Match } from './routes.ts'
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
    const { route, allowed, parameters } = match
    const key = await authenticate(request, resource, match)
    if (!route) throw allowed.length === 0 ? notFound(request.path) : methodNotAllowed(request.method, allowed)
    const version = readApiVersion(request, route.versions)
    const { operation } = route
    const { communicationUserId } = parameters
    const response = await operations[operation]({ request, resource, key, version, operation, ...parameters })
    return withSupportedVersions({ ...(communicationUserId && { communicationUserId }), ...response }, match)
  }

  async function authenticate(request: RawRequest, resource: Resource, { route }: Match): Promise<IssuingKey> {
    const { isLocalAuthDisabled, isPublicAccessDisabled } = resource.restriction
    // guess(public-access)
    if (isPublicAccessDisabled) {
      throw new ServiceError(403, 'Forbidden', 'Public network access to the resource is disabled.')
    }
    // guess(access-authentication)
    if (route?.isForUsers) return noKey
    const token = getBearerToken(request)
    if (token !== undefined) return authenticateBearer(token, entraTokens)
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

function withSupportedVersions(response: RawResponse, { route }: Match): RawResponse {
  return { ...response, headers: { ...response.headers, 'api-supported-versions': route!.supportedVersions } }
}

// guess(unknown-route)
function notFound(path: string): ServiceError {
  // Source: the api description of 2023-08-30-preview.
  const reason = /^\/{1,2}roles(?:\/|$)/i.test(path) ? ', which Microsoft describes as a private preview' : ''
  return new ServiceError(404, 'NotFound', 'The requested resource does not exist.', {
    innererror: { code: 'UnknownRoute', message: `The emulator does not serve ${path}${reason}.` },
  })
}

// guess(other-method)
function methodNotAllowed(method: string, allowed: readonly string[]): ServiceError {
  return new ServiceError(405, 'MethodNotAllowed', `The requested resource does not support http method '${method}'.`, {
    headers: { Allow: [...new Set(allowed)].join(', ') },
  })
}

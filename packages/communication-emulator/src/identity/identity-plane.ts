import type { EntraTokens } from '../entra/entra-tokens.ts'
import { decodePath, type RawRequest, type RawResponse } from '../raw-request.ts'
import type { Resource } from '../resource.ts'
import { formatSupportedVersions, identityApiVersions, readApiVersion } from './api-versions.ts'
import { authenticateBearer, isBearer } from './bearer.ts'
import { isPreflight } from './cors.ts'
import { denied, ServiceError } from './errors.ts'
import { authenticate } from './hmac.ts'
import type { IdentityOperations } from './identity-operations.ts'
import { matchRoute, teamsApiVersions, type Match } from './routes.ts'
import type { IssuingKey } from './token-issuer.ts'

export interface IdentityPlaneOptions {
  readonly operations: IdentityOperations
  readonly entraTokens: EntraTokens
  readonly loose: boolean
}

/** The identity routes of a resource: authenticates requests and passes them to their operations. */
export class IdentityPlane {
  readonly #options: IdentityPlaneOptions

  constructor(options: IdentityPlaneOptions) {
    this.#options = options
  }

  /** Returns the route of a request, before any check of the request. */
  match(request: RawRequest): Match {
    return matchRoute(request.method, decodePath(request.path))
  }

  async handle(request: RawRequest, resource: Resource, match: Match): Promise<RawResponse> {
    if (isPreflight(request)) return { status: 204 }
    try {
      return await this.#respond(request, resource, match)
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      const response = error.toResponse()
      return error.isFromAction ? withSupportedVersions(response, match) : response
    }
  }

  // guess(check-order): signature, route, api-version; then, as the recordings show, required members, ownership and the
  // rest of the validation; then quota and existence.
  async #respond(request: RawRequest, resource: Resource, match: Match): Promise<RawResponse> {
    const { operations, loose } = this.#options
    const key = await this.#authenticate(request, resource)
    if (match.kind === 'none') throw notFound(request.path)
    if (match.kind === 'other-method') throw methodNotAllowed(request.method, match.allowed)
    const { route, communicationUserId } = match
    const version = readApiVersion(request, route.versions, { loose })
    const response = await operations.handle(route.operation, { request, resource, key, version, communicationUserId })
    return withSupportedVersions({ ...(communicationUserId && { communicationUserId }), ...response }, match)
  }

  async #authenticate(request: RawRequest, resource: Resource): Promise<IssuingKey> {
    const { entraTokens, loose } = this.#options
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
    return authenticate(request, resource.keys, { loose })
  }
}

/** Adds the versions of the route's group, whichever of its routes a version has. */
function withSupportedVersions(response: RawResponse, match: Match): RawResponse {
  const isTeams = match.kind === 'found' && match.route.operation === 'exchangeTeamsUserAccessToken'
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

import type { Clock } from '../clock.ts'
import { decodePath, type RawResponse, type RawRequest } from '../raw-request.ts'
import type { EntraTokens } from '../entra/entra-tokens.ts'
import type { QuotaCounter } from '../quotas.ts'
import type { Resource } from '../resource.ts'
import type { IdentityRow } from '../store.ts'
import {
  customIdApiVersion,
  firstApiVersion,
  identityApiVersions,
  isSince,
  namedApiVersions,
  nearestServed,
  type ApiVersion,
} from './api-versions.ts'
import {
  checkLifetime,
  checkScopes,
  optionalInteger,
  optionalScopes,
  optionalString,
  readBody,
  requireScopes,
} from './body.ts'
import { isPreflight } from './cors.ts'
import { modelError, ServiceError, tooManyRequests } from './errors.ts'
import { authenticateBearer, isBearer } from './bearer.ts'
import { authenticate, denied } from './hmac.ts'
import type { Identities, IssuedToken, IssuingKey } from './identities.ts'
import { matchRoute, teamsApiVersions, type Match, type Operation } from './routes.ts'
import { readTeamsUser } from './teams-user.ts'

export interface IdentityPlaneOptions {
  readonly identities: Identities
  readonly clock: Clock
  readonly quotas: QuotaCounter
  readonly entraTokens: EntraTokens
  readonly loose: boolean
  readonly strict: boolean
}

interface Call {
  readonly request: RawRequest
  readonly resource: Resource
  readonly key: IssuingKey
  readonly version: ApiVersion
  readonly communicationUserId: string
}

/** The identity routes of one resource: acs identities and their access tokens, under access keys or Entra ID's tokens. */
export class IdentityPlane {
  readonly #identities: Identities
  readonly #clock: Clock
  readonly #quotas: QuotaCounter
  readonly #entraTokens: EntraTokens
  readonly #loose: boolean
  readonly #strict: boolean

  constructor(options: IdentityPlaneOptions) {
    this.#identities = options.identities
    this.#clock = options.clock
    this.#quotas = options.quotas
    this.#entraTokens = options.entraTokens
    this.#loose = options.loose
    this.#strict = options.strict
  }

  /** Which route a request is for, before anything of it is checked. */
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
      return error.isFromAction
        ? { ...response, headers: { ...response.headers, ...supportedVersions(match) } }
        : response
    }
  }

  // guess(check-order): signature, route, api-version; then, as the recordings show, required members, ownership and the
  // rest of the validation; then quota and existence.
  async #respond(request: RawRequest, resource: Resource, match: Match): Promise<RawResponse> {
    const { isLocalAuthDisabled, isPublicAccessDisabled } = resource.restriction
    // guess(public-access)
    if (isPublicAccessDisabled) {
      throw new ServiceError(403, 'Forbidden', 'Public network access to the resource is disabled.')
    }
    // guess(local-auth)
    if (isLocalAuthDisabled && !isBearer(request)) {
      throw denied('LocalAuthDisabled', 'disableLocalAuth is set for the resource: only Entra ID tokens are let in.')
    }
    const key = isBearer(request)
      ? await authenticateBearer(request, this.#entraTokens)
      : authenticate(request, resource.keys, { loose: this.#loose })
    if (match.kind === 'none') throw notFound(request.path)
    if (match.kind === 'other-method') throw methodNotAllowed(request.method, match.allowed)
    const { route, communicationUserId } = match
    const version = this.#versionOf(request, route.versions)
    const call: Call = { request, resource, key, version, communicationUserId }
    const response = await this.#perform(route.operation, call)
    return {
      ...(communicationUserId && { communicationUserId }),
      ...response,
      headers: { ...response.headers, ...supportedVersions(match) },
    }
  }

  #perform(operation: Operation, call: Call): RawResponse | Promise<RawResponse> {
    switch (operation) {
      case 'createIdentity':
        return this.#create(call)
      case 'issueAccessToken':
        return this.#issue(call)
      case 'revokeAccessTokens':
        return this.#revoke(call)
      case 'deleteIdentity':
        return this.#delete(call)
      case 'getIdentity':
        return this.#get(call)
      case 'exchangeTeamsUserAccessToken':
        return this.#exchangeTeamsUser(call)
    }
  }

  async #create({ request, resource, key, version }: Call): Promise<RawResponse> {
    const isFirst = version === firstApiVersion
    const known = isFirst
      ? []
      : [
          'createTokenWithScopes',
          ...(isSince(version, '2022-10-01') ? ['expiresInMinutes'] : []),
          ...(version === customIdApiVersion ? ['customId'] : []),
        ]
    const body = readBody(request, known, { strict: this.#strict })
    const scopes = optionalScopes(body, 'createTokenWithScopes') ?? []
    const customId = optionalString(body, 'customId')
    const minutes = optionalInteger(body, 'expiresInMinutes')
    // guess(custom-id-length)
    if (customId !== undefined && (customId.length < 1 || customId.length > 256)) {
      throw modelError('CustomId: The field CustomId must have 1 to 256 characters.', 'CustomId')
    }
    const lifetime = checkLifetime(minutes)
    if (scopes.length > 0) checkScopes(scopes, version)
    this.#takeQuota(resource, scopes.length > 0 ? 'createIdentityWithToken' : 'createIdentity')
    const identity = this.#identities.create(resource, customId)
    const communicationUserId = this.#identities.idOf(resource, identity)
    if (isFirst) return { status: 200, body: { id: communicationUserId }, communicationUserId }
    const accessToken =
      scopes.length > 0
        ? toWire(await this.#identities.issue(resource, identity, { scopes, minutes: lifetime, key }))
        : undefined
    return {
      status: 201,
      body: { identity: this.#describe(identity, communicationUserId), ...(accessToken && { accessToken }) },
      communicationUserId,
    }
  }

  async #issue({ request, resource, key, version, communicationUserId }: Call): Promise<RawResponse> {
    const known = ['scopes', ...(isSince(version, '2022-10-01') ? ['expiresInMinutes'] : [])]
    const body = readBody(request, known, { strict: this.#strict })
    const scopes = requireScopes(body)
    const minutes = optionalInteger(body, 'expiresInMinutes')
    this.#identities.checkOwned(resource, communicationUserId)
    checkScopes(scopes, version)
    const lifetime = checkLifetime(minutes)
    this.#takeQuota(resource, 'issueAccessToken')
    const identity = this.#identities.find(resource, communicationUserId)
    const issued = toWire(await this.#identities.issue(resource, identity, { scopes, minutes: lifetime, key }))
    return { status: 200, body: version === firstApiVersion ? { id: communicationUserId, ...issued } : issued }
  }

  #revoke({ request, resource, version, communicationUserId }: Call): RawResponse {
    const isFirst = version === firstApiVersion
    const body = readBody(request, isFirst ? ['tokensValidFrom'] : [], { strict: this.#strict })
    const validFrom = isFirst ? this.#readTokensValidFrom(optionalString(body, 'tokensValidFrom')) : undefined
    this.#identities.checkOwned(resource, communicationUserId)
    this.#takeQuota(resource, 'revokeAccessTokens')
    this.#identities.revoke(this.#identities.find(resource, communicationUserId), validFrom)
    return { status: 204 }
  }

  #delete({ request, resource, communicationUserId }: Call): RawResponse {
    readBody(request, [], { strict: this.#strict })
    this.#identities.checkOwned(resource, communicationUserId)
    this.#takeQuota(resource, 'deleteIdentity')
    // guess(delete-twice): refused like every other call for an identity that is gone.
    this.#identities.delete(this.#identities.find(resource, communicationUserId))
    return { status: 204 }
  }

  #get({ resource, communicationUserId }: Call): RawResponse {
    this.#identities.checkOwned(resource, communicationUserId)
    const identity = this.#identities.find(resource, communicationUserId)
    return { status: 200, body: this.#describe(identity, communicationUserId) }
  }

  // guess(last-token-issued-at): recorded for identities with a custom id; a creation without one does not show it.
  /** The identity with its members in the order of the service. */
  #describe(identity: IdentityRow, id: string) {
    if (identity.custom_id === null) return { id }
    const issuedAt = this.#identities.lastTokenIssuedAt(identity)
    return {
      customId: identity.custom_id,
      ...(issuedAt !== undefined && {
        lastTokenIssuedAt: `${new Date(issuedAt).toISOString().slice(0, 19)}+00:00`,
      }),
      id,
    }
  }

  async #exchangeTeamsUser({ request, resource, version }: Call): Promise<RawResponse> {
    const user = await readTeamsUser(request, { version, tokens: this.#entraTokens, strict: this.#strict })
    this.#takeQuota(resource, 'exchangeTeamsUserAccessToken')
    return { status: 200, body: toWire(await this.#identities.issueToTeamsUser(resource, user)) }
  }

  /** The client means its own, real clock: where the emulator's was moved, the time moves with it. */
  // differs(moved-clock)
  // guess(tokens-valid-from): that it is required, that it may lie in the future, and the text.
  #readTokensValidFrom(text: string | undefined): number {
    const time = text !== undefined && /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
    if (Number.isNaN(time)) {
      throw modelError('TokensValidFrom: The TokensValidFrom field must be an ISO 8601 time.', 'TokensValidFrom')
    }
    return time + this.#clock.offset
  }

  #takeQuota(resource: Resource, operation: string): void {
    const retryAfterSeconds = this.#quotas.take(resource.name, operation)
    if (retryAfterSeconds !== undefined) throw tooManyRequests(retryAfterSeconds)
  }

  #versionOf(request: RawRequest, versions: readonly ApiVersion[]): ApiVersion {
    const asked = [...new Set(request.query.getAll('api-version'))]
    const [only] = asked
    // guess(api-version-missing): what the web framework that the service's other texts come from answers.
    if (only === undefined || only === '') {
      throw new ServiceError(400, 'ApiVersionUnspecified', 'An API version is required, but was not specified.')
    }
    if (asked.length > 1) {
      throw new ServiceError(
        400,
        'AmbiguousApiVersion',
        `The following API versions were requested: ${asked.join(', ')}. At most, only a single API version may be specified. Please update the intended API version and retry the request.`,
      )
    }
    const name = this.#loose ? (nearestServed(only) ?? only) : only
    const version = versions.find((candidate) => candidate === name.toLowerCase())
    if (!version) {
      const uri = `https://${request.headers.host ?? ''}${request.path}`
      throw new ServiceError(
        400,
        'UnsupportedApiVersion',
        `The HTTP resource that matches the request URI '${uri}' does not support the API version '${only}'.`,
        {
          innererror: {
            code: 'ServedApiVersions',
            message: `The emulator serves this route in ${versions.join(', ')}.`,
          },
        },
      )
    }
    return version
  }
}

/** Named for a group of routes as a whole, whichever of them a version has. */
function supportedVersions(match: Match) {
  const isTeams = match.kind === 'found' && match.route.operation === 'exchangeTeamsUserAccessToken'
  return { 'api-supported-versions': namedApiVersions(isTeams ? teamsApiVersions : identityApiVersions) }
}

function toWire({ token, expiresOn }: IssuedToken) {
  return { token, expiresOn: toWireTime(expiresOn) }
}

/** As the service writes times: seven fractional digits, and an offset where others write `Z`. */
function toWireTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, -1)}0000+00:00`
}

// guess(unknown-route)
function notFound(path: string): ServiceError {
  return new ServiceError(404, 'NotFound', 'The requested resource does not exist.', {
    innererror: { code: 'UnknownRoute', message: `The emulator has no route ${path}.` },
  })
}

// guess(other-method)
function methodNotAllowed(method: string, allowed: readonly string[]): ServiceError {
  return new ServiceError(405, 'MethodNotAllowed', `The requested resource does not support http method '${method}'.`, {
    headers: { Allow: [...new Set(allowed)].join(', ') },
  })
}

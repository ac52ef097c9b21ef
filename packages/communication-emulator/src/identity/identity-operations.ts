import type { Clock } from '../clock.ts'
import type { EntraTokens } from '../entra/entra-tokens.ts'
import type { LimitedOperation, QuotaCounter } from '../quotas.ts'
import type { RawRequest, RawResponse } from '../raw-request.ts'
import type { Resource } from '../resource.ts'
import type { IdentityRow } from '../store.ts'
import {
  entraUsersApiVersion,
  firstApiVersion,
  isSince,
  repeatableApiVersion,
  type ApiVersion,
} from './api-versions.ts'
import {
  checkLifetime,
  checkScopes,
  optionalInteger,
  optionalString,
  optionalStrings,
  readBody,
  requireScopes,
} from './body.ts'
import { formatCommunicationUserId } from './communication-user-id.ts'
import { modelError, ServiceError } from './errors.ts'
import type { Assignments } from './assignments.ts'
import { createAssignmentOperations } from './assignment-operations.ts'
import { createExchangeOperations } from './exchange-operations.ts'
import { checkOwned, type Identities } from './identities.ts'
import type { IssuedTokens } from './issued-tokens.ts'
import type { RepeatableRequests } from './repeatable-requests.ts'
import type { Operation, PathParameters } from './routes.ts'
import { readTeamsUser } from './teams-user.ts'
import type { IssuingKey, TokenIssuer } from './token-issuer.ts'

export interface IdentityOperationsOptions {
  readonly identities: Identities
  readonly assignments: Assignments
  readonly repeatable: RepeatableRequests
  readonly tokens: IssuedTokens
  readonly issuer: TokenIssuer
  readonly clock: Clock
  readonly quotas: QuotaCounter
  readonly entraTokens: EntraTokens
  readonly strict: boolean
}

/** An authenticated request to a known route. */
export interface Call extends PathParameters {
  readonly request: RawRequest
  readonly resource: Resource
  readonly key: IssuingKey
  readonly version: ApiVersion
  readonly operation: Operation
}

export type Handler = (call: Call) => RawResponse | Promise<RawResponse>

export type IdentityOperations = Readonly<Record<Operation, Handler>>

/** Creates the handlers of the identity operations. */
export function createIdentityOperations(options: IdentityOperationsOptions): IdentityOperations {
  const { identities, assignments, repeatable, tokens, issuer, clock, quotas, entraTokens, strict } = options

  async function createIdentity(call: Call): Promise<RawResponse> {
    if (call.version !== repeatableApiVersion) return create(call)
    return repeatable.respondOnce(call, () => create(call))
  }

  async function create(call: Call): Promise<RawResponse> {
    const { request, resource, key, version } = call
    const isFirst = version === firstApiVersion
    const known = isFirst ? [] : ['createTokenWithScopes', ...getLifetimeMembers(version, '2022-10-01')]
    if (version === entraUsersApiVersion) known.push('customId')
    const body = readBody(request, known, { strict })
    const scopes = optionalStrings(body, 'createTokenWithScopes') ?? []
    const customId = optionalString(body, 'customId')
    const requestedMinutes = optionalInteger(body, 'expiresInMinutes')
    // guess(custom-id-length)
    if (customId !== undefined && (customId.length < 1 || customId.length > 256)) {
      throw modelError('CustomId: The field CustomId must have 1 to 256 characters.', 'CustomId')
    }
    const minutes = checkLifetime(requestedMinutes)
    if (scopes.length > 0) checkScopes(scopes, version)
    takeQuota(call, scopes.length > 0 ? 'createIdentityWithToken' : 'createIdentity')
    const identity = identities.create(resource, customId)
    const communicationUserId = formatCommunicationUserId(resource.immutableId, identity.id, identity.tail)
    if (isFirst) return { status: 200, body: { id: communicationUserId }, communicationUserId }
    const lifetime = { minutes }
    const accessToken =
      scopes.length > 0 ? await issuer.issue(resource, identity, { scopes, lifetime, key }) : undefined
    const created = { identity: describe(identity, communicationUserId), ...(accessToken && { accessToken }) }
    return { status: 201, body: created, communicationUserId }
  }

  async function issueAccessToken(call: Call): Promise<RawResponse> {
    const { request, resource, key, version, communicationUserId } = call
    const body = readBody(request, ['scopes', ...getLifetimeMembers(version, '2022-09-01')], { strict })
    const scopes = requireScopes(body)
    const requestedMinutes = optionalInteger(body, 'expiresInMinutes')
    checkOwned(resource, communicationUserId)
    checkScopes(scopes, version)
    const minutes = checkLifetime(requestedMinutes)
    takeQuota(call)
    const identity = identities.find(resource, communicationUserId)
    const issued = await issuer.issue(resource, identity, { scopes, lifetime: { minutes }, key })
    return { status: 200, body: version === firstApiVersion ? { id: communicationUserId, ...issued } : issued }
  }

  function revokeAccessTokens(call: Call): RawResponse {
    const { request, resource, version, communicationUserId } = call
    const isFirst = version === firstApiVersion
    const body = readBody(request, isFirst ? ['tokensValidFrom'] : [], { strict })
    const validFrom = isFirst ? readTokensValidFrom(optionalString(body, 'tokensValidFrom')) : undefined
    checkOwned(resource, communicationUserId)
    takeQuota(call)
    tokens.revoke(identities.find(resource, communicationUserId), validFrom)
    return { status: 204 }
  }

  function deleteIdentity(call: Call): RawResponse {
    const { request, resource, communicationUserId } = call
    readBody(request, [], { strict })
    checkOwned(resource, communicationUserId)
    takeQuota(call)
    // guess(delete-twice): the error is that of any request for a deleted identity.
    identities.remove(identities.find(resource, communicationUserId))
    return { status: 204 }
  }

  function getIdentity(call: Call): RawResponse {
    const { resource, communicationUserId } = call
    checkOwned(resource, communicationUserId)
    takeQuota(call)
    const identity = identities.find(resource, communicationUserId)
    return { status: 200, body: describe(identity, communicationUserId) }
  }

  async function exchangeTeamsUserAccessToken(call: Call): Promise<RawResponse> {
    const { request, resource, version } = call
    const user = await readTeamsUser(request, { version, tokens: entraTokens, strict })
    takeQuota(call)
    return { status: 200, body: await issuer.issueToTeamsUser(resource, user) }
  }

  // guess(last-token-issued-at): recorded for identities with a custom id; absent in recorded creations without one.
  /** Returns the identity as in the service's responses, with the members in the service's order. */
  function describe(identity: IdentityRow, id: string) {
    if (identity.custom_id === null) return { id }
    const issuedAt = tokens.getLastIssuedAt(identity)
    if (issuedAt === undefined) return { customId: identity.custom_id, id }
    const lastTokenIssuedAt = `${new Date(issuedAt).toISOString().slice(0, 19)}+00:00`
    return { customId: identity.custom_id, lastTokenIssuedAt, id }
  }

  /** Reads a time of the client's clock, and adds the offset of the emulator's clock. */
  // differs(moved-clock)
  // guess(tokens-valid-from): that it is required, that it may lie in the future, and the text.
  function readTokensValidFrom(text: string | undefined): number {
    const time = text !== undefined && /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
    if (Number.isNaN(time)) {
      throw modelError('TokensValidFrom: The TokensValidFrom field must be an ISO 8601 time.', 'TokensValidFrom')
    }
    return time + clock.offset
  }

  function takeQuota({ resource, operation }: Call, limited: LimitedOperation = operation): void {
    const retryAfterSeconds = quotas.take({ operation: limited, resource: resource.name })
    if (retryAfterSeconds === undefined) return
    // guess(quota-response): only the status is documented.
    throw new ServiceError(429, 'TooManyRequests', 'The rate limit of the resource is exceeded. Retry later.', {
      headers: { 'Retry-After': String(retryAfterSeconds) },
    })
  }

  return {
    createIdentity,
    issueAccessToken,
    revokeAccessTokens,
    deleteIdentity,
    getIdentity,
    exchangeTeamsUserAccessToken,
    ...createAssignmentOperations(assignments, takeQuota, { strict }),
    ...createExchangeOperations({ identities, assignments, issuer, entraTokens, takeQuota, strict }),
  }
}

// guess(early-lifetime): 2022-09-01 describes it without limits, and for tokens of existing identities only.
function getLifetimeMembers(version: ApiVersion, first: ApiVersion): string[] {
  return isSince(version, first) ? ['expiresInMinutes'] : []
}

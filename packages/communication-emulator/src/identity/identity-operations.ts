import type { Clock } from '../clock.ts'
import type { EntraTokens } from '../entra/entra-tokens.ts'
import type { QuotaCounter } from '../quotas.ts'
import type { RawRequest, RawResponse } from '../raw-request.ts'
import type { Resource } from '../resource.ts'
import type { IdentityRow } from '../store.ts'
import { customIdApiVersion, firstApiVersion, isSince, type ApiVersion } from './api-versions.ts'
import {
  checkLifetime,
  checkScopes,
  optionalInteger,
  optionalScopes,
  optionalString,
  readBody,
  requireScopes,
} from './body.ts'
import { formatCommunicationUserId } from './communication-user-id.ts'
import { modelError, tooManyRequests } from './errors.ts'
import type { Identities } from './identities.ts'
import type { IssuedTokens } from './issued-tokens.ts'
import type { Operation } from './routes.ts'
import { readTeamsUser } from './teams-user.ts'
import type { IssuedToken, IssuingKey, TokenIssuer } from './token-issuer.ts'

export interface IdentityOperationsOptions {
  readonly identities: Identities
  readonly tokens: IssuedTokens
  readonly issuer: TokenIssuer
  readonly clock: Clock
  readonly quotas: QuotaCounter
  readonly entraTokens: EntraTokens
  readonly strict: boolean
}

/** An authenticated request to a known route. */
export interface Call {
  readonly request: RawRequest
  readonly resource: Resource
  readonly key: IssuingKey
  readonly version: ApiVersion
  readonly communicationUserId: string
}

type Handler = (call: Call) => RawResponse | Promise<RawResponse>

/** Handlers of the identity operations. */
export class IdentityOperations {
  readonly #options: IdentityOperationsOptions
  readonly #handlers: Readonly<Record<Operation, Handler>> = {
    createIdentity: (call) => this.#create(call),
    issueAccessToken: (call) => this.#issue(call),
    revokeAccessTokens: (call) => this.#revoke(call),
    deleteIdentity: (call) => this.#delete(call),
    getIdentity: (call) => this.#get(call),
    exchangeTeamsUserAccessToken: (call) => this.#exchangeTeamsUser(call),
  }

  constructor(options: IdentityOperationsOptions) {
    this.#options = options
  }

  handle(operation: Operation, call: Call): RawResponse | Promise<RawResponse> {
    return this.#handlers[operation](call)
  }

  async #create({ request, resource, key, version }: Call): Promise<RawResponse> {
    const { identities, issuer } = this.#options
    const isFirst = version === firstApiVersion
    const known = isFirst
      ? []
      : [
          'createTokenWithScopes',
          ...(isSince(version, '2022-10-01') ? ['expiresInMinutes'] : []),
          ...(version === customIdApiVersion ? ['customId'] : []),
        ]
    const body = readBody(request, known, this.#options)
    const scopes = optionalScopes(body, 'createTokenWithScopes') ?? []
    const customId = optionalString(body, 'customId')
    const requestedMinutes = optionalInteger(body, 'expiresInMinutes')
    // guess(custom-id-length)
    if (customId !== undefined && (customId.length < 1 || customId.length > 256)) {
      throw modelError('CustomId: The field CustomId must have 1 to 256 characters.', 'CustomId')
    }
    const minutes = checkLifetime(requestedMinutes)
    if (scopes.length > 0) checkScopes(scopes, version)
    this.#takeQuota(resource, scopes.length > 0 ? 'createIdentityWithToken' : 'createIdentity')
    const identity = identities.create(resource, customId)
    const communicationUserId = formatCommunicationUserId(resource.immutableId, identity.id, identity.tail)
    if (isFirst) return { status: 200, body: { id: communicationUserId }, communicationUserId }
    const accessToken =
      scopes.length > 0 ? toWire(await issuer.issue(resource, identity, { scopes, minutes, key })) : undefined
    return {
      status: 201,
      body: { identity: this.#toWire(identity, communicationUserId), ...(accessToken && { accessToken }) },
      communicationUserId,
    }
  }

  async #issue({ request, resource, key, version, communicationUserId }: Call): Promise<RawResponse> {
    const { identities, issuer } = this.#options
    const known = ['scopes', ...(isSince(version, '2022-10-01') ? ['expiresInMinutes'] : [])]
    const body = readBody(request, known, this.#options)
    const scopes = requireScopes(body)
    const requestedMinutes = optionalInteger(body, 'expiresInMinutes')
    identities.checkOwned(resource, communicationUserId)
    checkScopes(scopes, version)
    const minutes = checkLifetime(requestedMinutes)
    this.#takeQuota(resource, 'issueAccessToken')
    const identity = identities.find(resource, communicationUserId)
    const issued = toWire(await issuer.issue(resource, identity, { scopes, minutes, key }))
    return { status: 200, body: version === firstApiVersion ? { id: communicationUserId, ...issued } : issued }
  }

  #revoke({ request, resource, version, communicationUserId }: Call): RawResponse {
    const { identities, tokens } = this.#options
    const isFirst = version === firstApiVersion
    const body = readBody(request, isFirst ? ['tokensValidFrom'] : [], this.#options)
    const validFrom = isFirst ? this.#readTokensValidFrom(optionalString(body, 'tokensValidFrom')) : undefined
    identities.checkOwned(resource, communicationUserId)
    this.#takeQuota(resource, 'revokeAccessTokens')
    tokens.revoke(identities.find(resource, communicationUserId), validFrom)
    return { status: 204 }
  }

  #delete({ request, resource, communicationUserId }: Call): RawResponse {
    const { identities } = this.#options
    readBody(request, [], this.#options)
    identities.checkOwned(resource, communicationUserId)
    this.#takeQuota(resource, 'deleteIdentity')
    // guess(delete-twice): rejected like every other request for a deleted identity.
    identities.delete(identities.find(resource, communicationUserId))
    return { status: 204 }
  }

  #get({ resource, communicationUserId }: Call): RawResponse {
    const { identities } = this.#options
    identities.checkOwned(resource, communicationUserId)
    const identity = identities.find(resource, communicationUserId)
    return { status: 200, body: this.#toWire(identity, communicationUserId) }
  }

  async #exchangeTeamsUser({ request, resource, version }: Call): Promise<RawResponse> {
    const { entraTokens: tokens, strict, issuer } = this.#options
    const user = await readTeamsUser(request, { version, tokens, strict })
    this.#takeQuota(resource, 'exchangeTeamsUserAccessToken')
    return { status: 200, body: toWire(await issuer.issueToTeamsUser(resource, user)) }
  }

  // guess(last-token-issued-at): recorded for identities with a custom id; absent in recorded creations without one.
  /** Returns the identity as the service writes it, with the members in the service's order. */
  #toWire(identity: IdentityRow, id: string) {
    if (identity.custom_id === null) return { id }
    const issuedAt = this.#options.tokens.getLastIssuedAt(identity)
    return {
      customId: identity.custom_id,
      ...(issuedAt !== undefined && {
        lastTokenIssuedAt: `${new Date(issuedAt).toISOString().slice(0, 19)}+00:00`,
      }),
      id,
    }
  }

  /** Reads a time of the client's real clock, and shifts it like the emulator's clock. */
  // differs(moved-clock)
  // guess(tokens-valid-from): that it is required, that it may lie in the future, and the text.
  #readTokensValidFrom(text: string | undefined): number {
    const time = text !== undefined && /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
    if (Number.isNaN(time)) {
      throw modelError('TokensValidFrom: The TokensValidFrom field must be an ISO 8601 time.', 'TokensValidFrom')
    }
    return time + this.#options.clock.offset
  }

  #takeQuota(resource: Resource, operation: string): void {
    const retryAfterSeconds = this.#options.quotas.take(resource.name, operation)
    if (retryAfterSeconds !== undefined) throw tooManyRequests(retryAfterSeconds)
  }
}

function toWire({ token, expiresOn }: IssuedToken) {
  return { token, expiresOn: toWireTime(expiresOn) }
}

/** Formats a time like the service: seven fractional digits, and an offset in place of `Z`. */
function toWireTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, -1)}0000+00:00`
}

import type { KeySlot } from '../access-key.ts'
import type { Clock } from '../clock.ts'
import type { ResourceRow, Store } from '../store.ts'
import type { AccessTokenClaims, AccessTokenSigner } from './access-token.ts'
import { formatCommunicationUserId, parseCommunicationUserId } from './communication-user-id.ts'
import type { Identities } from './identities.ts'
import type { IssuedTokens, TokenState } from './issued-tokens.ts'

/** State and owner of a token; a `foreign` token has only a state. */
export interface Introspection {
  readonly state: TokenState
  readonly communicationUserId?: string
  readonly scopes?: readonly string[]
  readonly issuedAt?: Date
  readonly expiresOn?: Date
  /** Name of the resource. */
  readonly resource?: string
  /** Access key of the request for the token; absent once that key is regenerated. */
  readonly accessKey?: KeySlot
}

/** An issued token. */
export interface ListedToken extends Introspection {
  /** Text of the token, present only with `reveal`. */
  readonly token?: string
}

/** Reports the state of access tokens. */
export function createTokenIntrospection(
  store: Store,
  clock: Clock,
  signer: AccessTokenSigner,
  identities: Identities,
  tokens: IssuedTokens,
) {
  function introspect(token: string): Introspection {
    const claims = signer.verify(token)
    if (!claims) return { state: 'foreign' }
    const resource = store.get<ResourceRow>('SELECT * FROM resource WHERE immutable_id = ?', claims.resourceId)
    // Emulators of one user share a signing key, so another one may have issued the token.
    if (!resource) return { state: 'foreign' }
    return {
      communicationUserId: `8:${claims.skypeid}`,
      scopes: claims.acsScope.split(','),
      issuedAt: new Date(claims.iat * 1000),
      expiresOn: new Date(claims.exp * 1000),
      resource: resource.name,
      ...getState(claims),
    }
  }

  /** Lists issued tokens, oldest first. The text of a token is not kept: `reveal` signs it again. */
  function list(query: { communicationUserId?: string; newest?: number; reveal?: boolean }): Promise<ListedToken[]> {
    const { communicationUserId: id, newest, reveal } = query
    const identity = id === undefined ? null : (identities.lookUp(id)?.id ?? 0)
    const listed = tokens.list(identity, newest).map(async (row) => {
      const communicationUserId = formatCommunicationUserId(row.immutable_id, row.identity, row.tail)
      const { scopes, iat, exp, immutable_id: resourceGuid, data_location: dataLocation } = row
      return {
        communicationUserId,
        scopes: scopes.split(','),
        issuedAt: new Date(row.issued_at),
        expiresOn: new Date(exp * 1000),
        resource: row.name,
        ...tokens.getState(row),
        ...(reveal && {
          token: await signer.sign({ communicationUserId, scopes, resourceGuid, dataLocation, iat, exp }),
        }),
      }
    })
    return Promise.all(listed)
  }

  function getState({ skypeid, iat, exp, acsScope }: AccessTokenClaims): { state: TokenState; accessKey?: KeySlot } {
    const communicationUserId = `8:${skypeid}`
    // Tokens of Teams users are not recorded: they end with the Entra ID token that they were exchanged for.
    if (!parseCommunicationUserId(communicationUserId))
      return { state: exp * 1000 <= clock.now() ? 'expired' : 'valid' }
    const identity = identities.lookUp(communicationUserId)
    if (!identity) return { state: 'deleted' }
    const row = tokens.find(identity.id, iat, exp, acsScope)
    // While an identity exists, only records of tokens that expired long ago are deleted.
    return row ? tokens.getState(row) : { state: 'expired' }
  }

  return { introspect, list }
}

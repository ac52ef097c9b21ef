import type { AccessKey } from '../access-key.ts'
import type { Clock } from '../clock.ts'
import type { Resource } from '../resource.ts'
import type { IdentityRow } from '../store.ts'
import type { AccessTokenSigner } from './access-token.ts'
import { formatCommunicationUserId } from './communication-user-id.ts'
import type { IssuedTokens } from './issued-tokens.ts'
import type { EntraUser } from './entra-user.ts'

/** Access key of the request for a token. Regenerating it revokes the token; id 0 stands for no key. */
export type IssuingKey = Pick<AccessKey, 'id'>

export type TokenIssuer = ReturnType<typeof createTokenIssuer>

/** Issues access tokens to identities and to Teams users, in the form of the service's responses. */
export function createTokenIssuer(tokens: IssuedTokens, clock: Clock, signer: AccessTokenSigner) {
  async function issue(
    resource: Resource,
    identity: IdentityRow,
    options: { scopes: readonly string[]; lifetime: { minutes: number } | { exp: number }; key: IssuingKey },
  ) {
    const { lifetime } = options
    const issuedAt = clock.now()
    const expiresOn = 'exp' in lifetime ? lifetime.exp * 1000 : issuedAt + lifetime.minutes * 60_000
    const exp = Math.floor(expiresOn / 1000)
    // guess(scope-order): in the order of the request, each once.
    const scopes = [...new Set(options.scopes)].join(',')
    const iat = tokens.add(identity, { scopes, issuedAt, exp, key: options.key.id })
    const token = await signer.sign({
      communicationUserId: formatCommunicationUserId(resource.immutableId, identity.id, identity.tail),
      scopes,
      resourceGuid: resource.immutableId,
      dataLocation: resource.dataLocation,
      iat,
      exp,
    })
    return { token, expiresOn: formatTime(expiresOn) }
  }

  // guess(teams-token): only the claim tid of such a token is known; the others have the usual form, with the Teams user's id.
  /** Issues a token to a Teams user, who has no identity in the resource. It is not recorded. */
  async function issueToTeamsUser(resource: Resource, { oid, tenantId, exp }: EntraUser) {
    const token = await signer.sign({
      communicationUserId: `8:orgid:${oid}`,
      scopes: 'chat,voip',
      resourceGuid: resource.immutableId,
      dataLocation: resource.dataLocation,
      iat: Math.floor(clock.now() / 1000),
      exp,
      tenantId,
    })
    return { token, expiresOn: formatTime(exp * 1000) }
  }

  return { issue, issueToTeamsUser }
}

/** Formats a time like the service: seven fractional digits, and an offset in place of `Z`. */
function formatTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, -1)}0000+00:00`
}

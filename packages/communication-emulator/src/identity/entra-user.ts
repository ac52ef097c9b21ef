import type { JWTPayload } from 'jose'
import { toAudiences, type CommunicationApplication } from '../entra/communication-applications.ts'
import { EntraTokenError, type EntraTokens } from '../entra/entra-tokens.ts'
import { ServiceError } from './errors.ts'

/** A user whose Entra ID token is exchanged for a communication access token. */
export interface EntraUser {
  readonly oid: string
  readonly tenantId: string
  /** Application that acquired the token, in lower case. */
  readonly clientId: string
  /** Expiry of the token, and of the access token, in seconds. */
  readonly exp: number
  /** Accepted permissions that the token has. */
  readonly permissions: readonly string[]
}

/** Returns the user of a token for an application that grants one of the permissions. Throws the service's error. */
// guess(exchange-token): the errors of the exchanges under /access are those recorded for the Teams exchange.
export async function verifyEntraUser(
  token: string | undefined,
  application: CommunicationApplication,
  permissions: readonly string[],
  tokens: EntraTokens,
): Promise<EntraUser> {
  try {
    if (!token) throw new EntraTokenError('TokenMissing', 'The request lacks the Entra ID token of a user.')
    const claims = await tokens.verify(token, toAudiences(application))
    const granted = getScopes(claims).filter((scope) => permissions.includes(scope))
    if (granted.length > 0) return toEntraUser(claims, granted)
    throw new EntraTokenError('TokenScopes', `The token lacks the scope ${permissions.join(' or ')}.`)
  } catch (error) {
    if (!(error instanceof EntraTokenError)) throw error
    throw new ServiceError(401, 'InvalidAccessToken', 'Provided access token is not valid.', {
      innererror: { code: error.code, message: error.message },
    })
  }
}

function getScopes({ scp }: JWTPayload): string[] {
  return typeof scp === 'string' ? scp.split(' ') : []
}

function toEntraUser({ oid, tid, azp, exp }: JWTPayload, permissions: readonly string[]): EntraUser {
  return { oid: String(oid), tenantId: String(tid), clientId: String(azp).toLowerCase(), exp: exp!, permissions }
}

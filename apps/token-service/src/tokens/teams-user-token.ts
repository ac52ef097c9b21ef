import type { TeamsUserToken } from '@acs-kit/communication-identity'
import { decodeJwt } from 'jose'
import { ProblemError } from '../problems/problem-error.ts'
import type { Principal } from '../sign-in/principal.ts'

/** The application of Azure Communication Services in Entra ID, in the forms that `aud` takes. */
const audiences = ['https://auth.msft.communication.azure.com', '2a04943b-b6a7-4f65-8786-2bb6131b59f6']
const permissions = ['Teams.ManageCalls', 'Teams.ManageChats']

/**
 * Checks the claims of a Teams user's token, because ACS rejects it without a reason. ACS verifies the signature. Throws a
 * `ProblemError` that names what is wrong.
 */
export function checkTeamsUserToken(
  entraToken: string,
  principal: Principal,
  { clientId, now }: { readonly clientId: string | undefined; readonly now: number },
): TeamsUserToken {
  if (clientId === undefined) throw new ProblemError('teams-unavailable', 'Set TEAMS_CLIENT_ID of the service.')
  const claims = decode(entraToken)
  const audience = String(claims.aud).replace(/\/$/, '')
  if (!audiences.includes(audience)) throw invalid(`The audience (aud) of the token must be ${audiences[0]}.`)
  if ((claims['appid'] ?? claims['azp']) !== clientId) {
    throw invalid(`The application (appid) of the token must be ${clientId}.`)
  }
  if (typeof claims.exp !== 'number' || claims.exp * 1000 <= now) {
    throw invalid('The token has expired (exp). Acquire a new one.')
  }
  const scopes = typeof claims['scp'] === 'string' ? claims['scp'].split(' ') : []
  if (!permissions.some((permission) => scopes.includes(permission))) {
    throw invalid(`The token must have the scope (scp) ${permissions.join(' or ')}.`)
  }
  if (claims['oid'] !== principal.subject || claims['tid'] !== principal.tenantId) {
    throw invalid('The token belongs to another user: oid and tid must be those of the sign-in token.')
  }
  return { entraToken, clientId, userObjectId: principal.subject }
}

function decode(token: string) {
  try {
    return decodeJwt(token)
  } catch {
    throw invalid('The token is not a JWT. Send an Entra ID access token.')
  }
}

function invalid(detail: string): ProblemError {
  return new ProblemError('teams-token-invalid', detail)
}

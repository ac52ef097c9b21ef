import type { TeamsUserToken } from '@acs-kit/communication-identity'
import { decodeJwt } from 'jose'
import { ProblemError } from '../problem-error.ts'
import type { Principal } from '../sign-in/principal.ts'

/** Of the application that stands for Azure Communication Services at Entra ID, in the forms that `aud` takes. */
const audiences = ['https://auth.msft.communication.azure.com', '2a04943b-b6a7-4f65-8786-2bb6131b59f6']
const permissions = ['Teams.ManageCalls', 'Teams.ManageChats']

/**
 * Checks what can be known of a Teams user's token without its issuer, since the service's own refusal names no reason. The
 * signature is the service's to verify. Throws a `ProblemError` that names what is wrong.
 */
export function checkTeamsUserToken(
  entraToken: string,
  principal: Principal,
  { clientId, now }: { readonly clientId: string | undefined; readonly now: number },
): TeamsUserToken {
  if (clientId === undefined) throw new ProblemError('teams-unavailable', 'Its TEAMS_CLIENT_ID is not set.')
  const claims = decode(entraToken)
  const audience = String(claims.aud).replace(/\/$/, '')
  if (!audiences.includes(audience)) throw invalid(`Its audience (aud) has to be ${audiences[0]}.`)
  if ((claims['appid'] ?? claims['azp']) !== clientId) throw invalid(`Its application (appid) has to be ${clientId}.`)
  if (typeof claims.exp !== 'number' || claims.exp * 1000 <= now) throw invalid('It has expired (exp).')
  const scopes = typeof claims['scp'] === 'string' ? claims['scp'].split(' ') : []
  if (!permissions.some((permission) => scopes.includes(permission))) {
    throw invalid(`It needs a scope (scp) of ${permissions.join(' or ')}.`)
  }
  if (claims['oid'] !== principal.subject || claims['tid'] !== principal.tenantId) {
    throw invalid('It is another user’s: oid and tid have to be those of the sign-in token.')
  }
  return { entraToken, clientId, userObjectId: principal.subject }
}

function decode(token: string) {
  try {
    return decodeJwt(token)
  } catch {
    throw invalid('It is no JWT.')
  }
}

function invalid(detail: string): ProblemError {
  return new ProblemError('teams-token-invalid', detail)
}

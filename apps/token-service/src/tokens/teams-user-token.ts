import type { TeamsUserToken } from '@acs-kit/communication-identity'
import { decodeJwt } from 'jose'
import { ProblemError } from '../problems/problem-error.ts'
import type { Principal } from '../sign-in/principal.ts'

/** Application "Azure Communication Services" in Entra ID, in the forms that `aud` takes. */
const audiences = ['https://auth.msft.communication.azure.com', '1fd5118e-2576-4263-8130-9503064c837a']
/** Application "Azure Communication Services Clients", whose tokens pages exchange at the resource. */
const clientAudiences = new Set(['https://communication.azure.com/clients', '2a04943b-b6a7-4f65-8786-2bb6131b59f6'])
const permissions = ['Teams.ManageCalls', 'Teams.ManageChats']
const extensionPermission = 'TeamsExtension.ManageCalls'
/** Explanation that names a section of the client's README. */
const inPage =
  'the page exchanges it without this service: see "Pages without the token service" in the README of @acs-kit/token-client.'

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
  if (clientAudiences.has(audience)) {
    throw invalid(`The token is for Entra ID users of Azure Communication Services (aud), and ${inPage}`)
  }
  if (!audiences.includes(audience)) throw invalid(`The audience (aud) of the token must be ${audiences[0]}.`)
  const scopes = typeof claims['scp'] === 'string' ? claims['scp'].split(' ') : []
  if (!permissions.some((permission) => scopes.includes(permission))) {
    const isExtension = scopes.includes(extensionPermission)
    const explanation = isExtension ? ` ${extensionPermission} is for Teams Phone extensibility, and ${inPage}` : ''
    throw invalid(`The token must have the scope (scp) ${permissions.join(' or ')}.${explanation}`)
  }
  // Version 1.0 of Entra ID's tokens has `appid`, version 2.0 `azp`.
  if ((claims['appid'] ?? claims['azp']) !== clientId) {
    throw invalid(`The application (appid or azp) of the token must be ${clientId}.`)
  }
  if (typeof claims.exp !== 'number' || claims.exp * 1000 <= now) {
    throw invalid('The token has expired (exp). Acquire a new one.')
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

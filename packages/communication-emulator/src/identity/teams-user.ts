import { teamsApplication } from '../entra/communication-applications.ts'
import type { EntraTokens } from '../entra/entra-tokens.ts'
import type { RawRequest } from '../raw-request.ts'
import { isSince, type ApiVersion } from './api-versions.ts'
import { isGuid, optionalString, readBody } from './body.ts'
import { verifyEntraUser, type EntraUser } from './entra-user.ts'
import { modelError, validationError } from './errors.ts'

// guess(teams-scopes): one of the two is enough.
const permissions = ['Teams.ManageCalls', 'Teams.ManageChats']

/**
 * Reads an exchange request. The checks run in the recorded order: the token, missing members, their form, and whether they
 * match the token's claims.
 */
export async function readTeamsUser(
  request: RawRequest,
  { version, tokens, strict }: { version: ApiVersion; tokens: EntraTokens; strict: boolean },
): Promise<EntraUser> {
  const isFirstForm = !isSince(version, '2022-06-01')
  const body = readBody(request, isFirstForm ? ['token'] : ['token', 'appId', 'userId'], { strict })
  const user = await verifyEntraUser(optionalString(body, 'token'), teamsApplication, permissions, tokens)
  if (isFirstForm) return user
  const appId = optionalString(body, 'appId')
  const userId = optionalString(body, 'userId')
  if (!appId) throw modelError('AppId: The AppId field is required.', 'AppId')
  if (!userId) throw modelError('UserId: The UserId field is required.', 'UserId')
  if (!isGuid(appId)) throw validationError('Provided AppId has invalid format.', 'appId')
  if (!isGuid(userId)) throw validationError('Provided UserId has invalid format.', 'userId')
  if (appId.toLowerCase() !== user.clientId) {
    throw validationError('AAD application is not the expected one.', 'appId')
  }
  if (userId.toLowerCase() !== user.oid) {
    throw validationError('Provided AAD token issued for unexpected user.', 'userId')
  }
  return user
}

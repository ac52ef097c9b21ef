import type { JWTPayload } from 'jose'
import { EntraTokenError, type EntraTokens } from '../entra/entra-tokens.ts'
import type { RawRequest } from '../raw-request.ts'
import { isSince, type ApiVersion } from './api-versions.ts'
import { optionalString, readBody } from './body.ts'
import { modelError, ServiceError, validationError } from './errors.ts'

const audiences = ['https://auth.msft.communication.azure.com', 'https://auth.msft.communication.azure.com/']
const permissions = ['Teams.ManageCalls', 'Teams.ManageChats']
const guid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

export interface TeamsUser {
  readonly oid: string
  readonly tenantId: string
  /** Expiry of the Entra ID token in seconds, and thus of the token that it is exchanged for. */
  readonly exp: number
}

/**
 * Reads an exchange request. The checks run in the recorded order: the token, missing members, their form, and whether they
 * match the token's claims.
 */
export async function readTeamsUser(
  request: RawRequest,
  { version, tokens, strict }: { version: ApiVersion; tokens: EntraTokens; strict: boolean },
): Promise<TeamsUser> {
  const isFirstForm = !isSince(version, '2022-06-01')
  const body = readBody(request, isFirstForm ? ['token'] : ['token', 'appId', 'userId'], { strict })
  const claims = await verify(optionalString(body, 'token') ?? '', tokens)
  const user = { oid: String(claims['oid']), tenantId: String(claims['tid']), exp: claims.exp! }
  if (isFirstForm) return user
  const appId = optionalString(body, 'appId')
  const userId = optionalString(body, 'userId')
  if (!appId) throw modelError('AppId: The AppId field is required.', 'AppId')
  if (!userId) throw modelError('UserId: The UserId field is required.', 'UserId')
  if (!guid.test(appId)) throw validationError('Provided AppId has invalid format.', 'appId')
  if (!guid.test(userId)) throw validationError('Provided UserId has invalid format.', 'userId')
  if (appId.toLowerCase() !== claims['appid']) {
    throw validationError('AAD application is not the expected one.', 'appId')
  }
  if (userId.toLowerCase() !== user.oid) {
    throw validationError('Provided AAD token issued for unexpected user.', 'userId')
  }
  return user
}

async function verify(token: string, tokens: EntraTokens): Promise<JWTPayload> {
  try {
    const claims = await tokens.verify(token, audiences)
    const scopes = typeof claims['scp'] === 'string' ? claims['scp'].split(' ') : []
    // guess(teams-scopes): one of the two is enough.
    if (permissions.some((permission) => scopes.includes(permission))) return claims
    throw new EntraTokenError('TokenScopes', `The token lacks the scope ${permissions.join(' or ')}.`)
  } catch (error) {
    if (!(error instanceof EntraTokenError)) throw error
    throw new ServiceError(401, 'InvalidAccessToken', 'Provided access token is not valid.', {
      innererror: { code: error.code, message: error.message },
    })
  }
}

import type { JWTPayload } from 'jose'
import { EntraTokenError, type EntraTokens } from '../entra/entra-tokens.ts'
import { getHeader, type RawRequest } from '../raw-request.ts'
import { ArmError } from './arm-error.ts'

/** Audiences of the resource manager in Azure; MSAL for Go and older SDKs use the second. */
const azureAudiences = ['https://management.azure.com', 'https://management.core.windows.net']

/** Verifies the token of a request and returns its claims. Throws an `ArmError`. */
export async function authenticate({ headers }: RawRequest, tokens: EntraTokens, origin: string): Promise<JWTPayload> {
  const authorization = getHeader(headers, 'authorization') ?? ''
  const challenge = { 'WWW-Authenticate': `Bearer authorization_uri="${origin}/", error="invalid_token"` }
  const unauthorized = (code: string, message: string) => new ArmError(401, code, message, challenge)
  if (authorization === '') {
    throw unauthorized('AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.")
  }
  const token = /^Bearer (\S+)$/i.exec(authorization)?.[1]
  if (token === undefined) {
    throw unauthorized(
      'AuthenticationFailedInvalidHeader',
      "Authentication failed. The 'Authorization' header is provided in an invalid format.",
    )
  }
  const audiences = [origin, ...azureAudiences].flatMap((audience) => [audience, `${audience}/`])
  return tokens.verify(token, audiences).catch((error: unknown) => {
    if (!(error instanceof EntraTokenError)) throw error
    // guess(arm-token-errors)
    const code = error.code === 'TokenExpired' ? 'ExpiredAuthenticationToken' : 'InvalidAuthenticationToken'
    throw unauthorized(code, error.message)
  })
}

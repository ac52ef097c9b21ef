import { EntraTokenError, type EntraTokens } from '../entra/entra-tokens.ts'
import { getHeader, type RawRequest } from '../raw-request.ts'
import { denied } from './errors.ts'
import type { IssuingKey } from './token-issuer.ts'

// guess(bearer-audience): SDKs request the scope `https://communication.azure.com//.default`; whether the service requires the
// trailing slash is unknown.
const audiences = ['https://communication.azure.com/', 'https://communication.azure.com']

/** Key of requests without an access key: regenerating a key does not revoke their tokens. */
// guess(bearer-issued)
export const noKey: IssuingKey = { id: 0 }

export function getBearerToken({ headers }: RawRequest): string | undefined {
  return /^Bearer (.*)$/i.exec(getHeader(headers, 'authorization') ?? '')?.[1]?.trim()
}

// differs(no-roles): any valid token grants every permission.
/** Verifies an Entra ID token for the resource. Throws the service's error, with the reason in `innererror`. */
export async function authenticateBearer(token: string, tokens: EntraTokens): Promise<IssuingKey> {
  await tokens.verify(token, audiences).catch((error: unknown) => {
    throw error instanceof EntraTokenError ? denied(error.code, error.message) : error
  })
  return noKey
}

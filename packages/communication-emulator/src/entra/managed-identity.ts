import { getHeader, type RawResponse, type RawRequest } from '../raw-request.ts'
import type { EntraTokens } from './entra-tokens.ts'
import { toManagedIdentityClientId } from './tenant.ts'

export const managedIdentityPath = '/msi/token'

/** Constant, like the access key. App Service generates a secret, which protects against server-side request forgery. */
const managedIdentityHeader = 'acs-kit-communication-emulator'

/** Returns the values of `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`; `endpoint` is the default resource's. */
export function managedIdentityFor(endpoint: string): { readonly endpoint: string; readonly header: string } {
  return { endpoint: new URL(managedIdentityPath, endpoint).href, header: managedIdentityHeader }
}

/** Client id of the emulator's managed identity, unless a request names another. */
const systemAssignedClientId = 'acac0000-0000-4000-8000-000000000004'

/** Differences between the endpoint's api-versions. SDKs from before 2021 support only the first. */
const apiVersions = {
  '2017-09-01': {
    header: 'secret',
    clientIdParameter: 'clientid',
    // `06/20/2019 02:57:58 +00:00`: `Date.parse` and the older Python SDKs accept this format.
    formatExpiry: (time: Date) => time.toISOString().replace(/^(\d+)-(\d\d)-(\d\d)T(.{8}).*$/, '$2/$3/$1 $4 +00:00'),
  },
  '2019-08-01': {
    header: 'x-identity-header',
    clientIdParameter: 'client_id',
    formatExpiry: (time: Date) => String(time.getTime() / 1000),
  },
} as const

// guess(managed-identity-errors): the format and text of errors.
/** Responds like the managed-identity endpoint that App Service offers its sites. */
export async function handleManagedIdentity({ headers, query }: RawRequest, tokens: EntraTokens): Promise<RawResponse> {
  const version = Object.entries(apiVersions).find(([name]) => name === query.get('api-version'))?.[1]
  if (!version) return reject(400, `api-version must be ${Object.keys(apiVersions).join(' or ')}.`)
  if (getHeader(headers, version.header) !== managedIdentityHeader) {
    return reject(401, `The header ${version.header} must have the value of IDENTITY_HEADER (or MSI_SECRET).`)
  }
  const resource = query.get('resource')
  if (!resource) return reject(400, 'resource is missing: send the audience of the token.')
  const resourceId = query.get('mi_res_id')
  const clientId =
    query.get(version.clientIdParameter) ??
    (resourceId === null ? systemAssignedClientId : toManagedIdentityClientId(resourceId))
  const { token, expiresOn } = await tokens.issueForApplication(clientId, resource)
  return {
    status: 200,
    headers: { 'Cache-Control': 'no-store' },
    body: {
      access_token: token,
      expires_on: version.formatExpiry(expiresOn),
      resource,
      token_type: 'Bearer',
      client_id: clientId,
    },
  }
}

function reject(statusCode: number, message: string): RawResponse {
  return { status: statusCode, body: { statusCode, message }, explanation: { message } }
}

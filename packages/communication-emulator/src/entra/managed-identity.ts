import { headerOf, type Answer, type Exchange } from '../exchange.ts'
import type { EntraTokens } from './entra-tokens.ts'

export const managedIdentityPath = '/msi/token'

/** Well known like the access key. In App Service it is a secret, against requests that somebody tricks a server into. */
const managedIdentityHeader = 'acs-kit-communication-emulator'

/** For `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, as App Service sets them; `endpoint` is the default resource's. */
export function managedIdentityOf(endpoint: string): { readonly endpoint: string; readonly header: string } {
  return { endpoint: new URL(managedIdentityPath, endpoint).href, header: managedIdentityHeader }
}

/** Of the site that the emulator's managed identity belongs to, unless a request names another. */
const systemAssignedClientId = 'acac0000-0000-4000-8000-000000000004'

/** The endpoint that App Service offers its sites: `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, api-version 2019-08-01. */
export class ManagedIdentityEndpoint {
  readonly #tokens: EntraTokens

  constructor(tokens: EntraTokens) {
    this.#tokens = tokens
  }

  // guess(managed-identity-errors): the form and words of its refusals.
  async answer({ headers, query }: Exchange): Promise<Answer> {
    if (headerOf(headers, 'x-identity-header') !== managedIdentityHeader) {
      return refuse(401, 'X-IDENTITY-HEADER must have the value of IDENTITY_HEADER.')
    }
    if (query.get('api-version') !== '2019-08-01') return refuse(400, 'api-version must be 2019-08-01.')
    const resource = query.get('resource')
    if (!resource) return refuse(400, 'resource is missing.')
    const clientId = query.get('client_id') ?? systemAssignedClientId
    const { token, expiresOn } = await this.#tokens.application(clientId, resource)
    return {
      status: 200,
      headers: { 'Cache-Control': 'no-store' },
      body: {
        access_token: token,
        expires_on: String(expiresOn.getTime() / 1000),
        resource,
        token_type: 'Bearer',
        client_id: clientId,
      },
    }
  }
}

function refuse(statusCode: number, message: string): Answer {
  return { status: statusCode, body: { statusCode, message }, explanation: { message } }
}

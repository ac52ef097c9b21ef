import { wellKnownPublicClientId, type Emulator } from '@acs-kit/communication-emulator'

/** Parts of a stack that the documents name. */
export interface PublishedStack {
  readonly service: { readonly url: string }
  readonly communicationEndpoint: string
  readonly connectionString: string | undefined
  readonly isAzureEmulated: boolean
  readonly resources: { readonly commandEnvironment: object } | undefined
}

export const signInScope = 'openid profile offline_access api://acs-kit/access_as_user'
const clientId = wellKnownPublicClientId
const stackPaths = new Set(['/config.json', '/outputs.json'])

/**
 * Loads the sign-in's metadata. Returns a function that finds the JSON document at an address of the demo's server: this
 * metadata, the demo's configuration or the stack's outputs. The last two are available once the stack has started.
 */
export async function loadStackDocuments({ endpoint, administrationToken, entra: { issuer, tenantId } }: Emulator) {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`)
  const emulatorMetadata = await response.text()

  return (
    { origin, pathname, searchParams }: URL,
    stack: PublishedStack | undefined,
  ): object | 'starting' | undefined => {
    // Browsers reach the sign-in at the demo's origin.
    const addresses = JSON.parse(emulatorMetadata.replaceAll(new URL(endpoint).origin, origin)) as object
    const metadata = { ...addresses, issuer }
    if (pathname === `/${tenantId}/v2.0/.well-known/openid-configuration`) return metadata
    if (!stack) return stackPaths.has(pathname) ? 'starting' : undefined
    const { service, communicationEndpoint, connectionString, isAzureEmulated, resources } = stack
    switch (pathname) {
      case '/config.json':
        return {
          authority: issuer,
          clientId,
          scope: signInScope,
          metadata,
          serviceUrl: service.url,
          ...(isAzureEmulated && { emulatorUrl: '/_emulator', emulatorToken: administrationToken }),
        }
      case '/outputs.json':
        if (searchParams.has('pulumi')) return resources?.commandEnvironment ?? {}
        return {
          tokenServiceUrl: service.url,
          communicationEndpoint,
          signInIssuer: issuer,
          signInAuthority: `${origin}/${tenantId}/v2.0`,
          signInClientId: clientId,
          signInScope,
          // A key of a real resource never leaves this process.
          ...(searchParams.has('secrets') && isAzureEmulated && { connectionString }),
        }
    }
    return undefined
  }
}

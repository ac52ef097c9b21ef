import { wellKnownPublicClientId, type Emulator } from '@acs-kit/communication-emulator'

/** Parts of a stack that the documents name. */
export interface PublishedStack {
  readonly service: { readonly url: string }
  readonly communicationEndpoint: string
  readonly connectionString: string | undefined
  readonly isAzureEmulated: boolean
}

const clientId = wellKnownPublicClientId
const scope = 'openid profile offline_access api://acs-kit/access_as_user'

/** JSON documents that the demo's server serves: the demo's configuration, the stack's outputs, the sign-in's metadata. */
export class StackDocuments {
  readonly #emulator: Emulator
  readonly #metadata: string
  #stack: PublishedStack | undefined

  private constructor(emulator: Emulator, metadata: string) {
    this.#emulator = emulator
    this.#metadata = metadata
  }

  static async load(emulator: Emulator): Promise<StackDocuments> {
    const response = await fetch(`${emulator.entra.issuer}/.well-known/openid-configuration`)
    return new StackDocuments(emulator, await response.text())
  }

  /** Until then, only the sign-in's metadata exists. */
  publish(stack: PublishedStack): void {
    this.#stack = stack
  }

  /** Returns the document at an address of the server, if there is one. */
  find({ origin, pathname, searchParams }: URL): object | undefined {
    const { issuer, tenantId } = this.#emulator.entra
    const metadata = { ...this.#metadataAt(origin), issuer }
    if (pathname === `/${tenantId}/v2.0/.well-known/openid-configuration`) return metadata
    if (!this.#stack) return undefined
    const { service, communicationEndpoint, connectionString, isAzureEmulated } = this.#stack
    switch (pathname) {
      case '/config.json':
        return {
          authority: issuer,
          clientId,
          scope,
          metadata,
          serviceUrl: service.url,
          ...(isAzureEmulated && { emulatorUrl: '/_emulator' }),
        }
      case '/outputs.json':
        return {
          tokenServiceUrl: service.url,
          communicationEndpoint,
          signInIssuer: issuer,
          signInAuthority: `${origin}/${tenantId}/v2.0`,
          signInClientId: clientId,
          signInScope: scope,
          // A key of a real resource never leaves this process.
          ...(searchParams.has('secrets') && isAzureEmulated && { connectionString }),
        }
    }
    return undefined
  }

  /** The emulator's metadata with addresses under another origin, where its sign-in is served as well. */
  #metadataAt(origin: string): object {
    return JSON.parse(this.#metadata.replaceAll(new URL(this.#emulator.endpoint).origin, origin)) as object
  }
}

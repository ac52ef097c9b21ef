import { decodePath, type RawResponse, type RawRequest } from '../raw-request.ts'
import type { EmulatedResources } from '../emulated-resources.ts'
import type { EntraTokens } from '../entra/entra-tokens.ts'
import { wellKnownClientSecret, wellKnownConfidentialClientId, wellKnownTenantId } from '../entra/tenant.ts'
import type { Store } from '../store.ts'
import { notFound } from './arm-error.ts'
import { readApiVersion, respondToGet, type ArmRequest } from './arm-request.ts'
import { authenticate } from './authenticate.ts'
import { communicationService, restoreCommunicationServices } from './communication-service.ts'
import { genericResourceTypes } from './generic-resource-types.ts'
import { createOperations } from './operations.ts'
import { respondToProvider } from './providers.ts'
import { createResourceEndpoint } from './resource-endpoint.ts'
import { groupType, parseTarget, type Target } from './resource-id.ts'
import { ResourceTree } from './resource-tree.ts'
import type { StoredResource } from './resource-types.ts'
import { createStorageBackend, type StorageServices } from './storage-services.ts'
import { describeTenant, listSubscriptions, respondToSubscription, servedSubscriptionId } from './subscriptions.ts'

const metadataPath = /^\/+metadata\/endpoints$/i
const operations = { GET: 'armGet', PUT: 'armPut', PATCH: 'armPatch', DELETE: 'armDelete', POST: 'armAction' }

/** Operations of the resource manager, as the request log and faults name them. */
export const resourceManagerOperations = ['cloudMetadata', 'armList', ...Object.values(operations)]

export interface ResourceManagerOptions {
  readonly store: Store
  readonly entraTokens: EntraTokens
  readonly liveResources: EmulatedResources
  /** Returns the origin of the default resource, such as `https://localhost:4380`. */
  readonly origin: () => string
}

/**
 * Emulates Azure Resource Manager: groups and resources of the supported types.
 *
 * @example
 * const { metadataHost, subscriptionId } = emulator.resourceManager.servicePrincipal
 */
export class ResourceManagerPlane {
  /** Services behind all storage accounts, such as Azurite's; default: tables and containers are only stored. */
  storage: StorageServices | undefined
  readonly #tree: ResourceTree
  readonly #resources: ReturnType<typeof createResourceEndpoint>
  readonly #options: ResourceManagerOptions

  /** @internal */
  constructor(options: ResourceManagerOptions) {
    const { store, entraTokens, liveResources, origin } = options
    this.#options = options
    const storage = createStorageBackend(this, entraTokens)
    const genericTypes = genericResourceTypes(storage, () => this.resources())
    this.#tree = new ResourceTree(store, [communicationService(liveResources), ...genericTypes])
    this.#resources = createResourceEndpoint(this.#tree, createOperations(origin))
  }

  /** @internal */
  static owns({ path }: RawRequest): boolean {
    return /^\/+(?:(?:subscriptions|providers)(?:\/|$)|tenants\/?$|metadata\/endpoints$)/i.test(path)
  }

  /** @internal */
  getOperation({ method, path }: RawRequest): string | undefined {
    if (metadataPath.test(path)) return 'cloudMetadata'
    if (method === 'GET' && parseTarget(decodePath(path))?.kind !== 'resource') return 'armList'
    return Object.entries({ ...operations, HEAD: 'armGet' }).find(([name]) => name === method)?.[1]
  }

  /** Service principal with all permissions, named as in azure-native's configuration. Any subscription id works. */
  get servicePrincipal() {
    return {
      metadataHost: this.#options.origin(),
      tenantId: wellKnownTenantId,
      clientId: wellKnownConfidentialClientId,
      clientSecret: wellKnownClientSecret,
      subscriptionId: servedSubscriptionId,
    }
  }

  /**
   * Lists every resource in the order of creation, to verify what was created, or that nothing remains.
   *
   * @returns The resources, including groups.
   *
   * @example
   * const types = emulator.resourceManager.resources().map(({ id }) => id.type)
   */
  resources(): StoredResource[] {
    return this.#tree.list()
  }

  /** @internal Reopens the stored communication services after a restart. */
  async restore(): Promise<void> {
    await restoreCommunicationServices(this.#options.liveResources, this.resources())
  }

  /** Deletes every resource. */
  async clear(): Promise<void> {
    for (const { id } of this.resources()) {
      const resource = this.#tree.get(id)
      if (resource) await this.#tree.remove(resource)
    }
  }

  /** @internal Throws an `ArmError`. */
  async handle(request: RawRequest): Promise<RawResponse> {
    const { entraTokens, origin } = this.#options
    if (metadataPath.test(request.path)) return { status: 200, body: describeCloud(origin()) }
    const caller = await authenticate(request, entraTokens, origin())
    const target = parseTarget(decodePath(request.path))
    if (!target) throw notFound(request.path)
    return this.#route({ ...request, caller, apiVersion: readApiVersion(request) }, target)
  }

  async #route(request: ArmRequest, target: Target): Promise<RawResponse> {
    switch (target.kind) {
      case 'tenants':
        return respondToGet(request, () => ({ value: [describeTenant()] }))
      case 'subscriptions':
        return respondToGet(request, () => listSubscriptions(this.#tree))
      case 'subscription':
        return respondToSubscription(request, target.subscription, target.word, this.#tree)
      case 'groups':
        return respondToGet(request, () => this.#tree.showAll(target.scope, groupType))
      case 'provider':
        return respondToProvider(request, target, this.#tree)
      case 'member':
        return this.#resources.respondToMember(request, target.id, target.word)
      case 'resource':
        return this.#resources.respond(request, target.id)
    }
  }
}

/** Describes the endpoints of the cloud that clients read. */
function describeCloud(origin: string): object {
  return {
    name: 'acs-kit emulator',
    authentication: { loginEndpoint: origin, audiences: [origin], tenant: 'common', identityProvider: 'AAD' },
    resourceManager: origin,
    microsoftGraphResourceId: `${origin}/graph`,
    suffixes: { storage: 'storage.localhost', keyVaultDns: 'vault.localhost' },
  }
}

import { ResourceManagementClient } from '@azure/arm-resources'
import type { TokenCredential } from '@azure/identity'
import { formatSignInError } from '../azure-error.ts'
import { findResourceManager } from '../cloud-metadata.ts'
import type { StackResource, StackState } from '../stack/stack-state.ts'

/** Names as in the configuration of azure-native. */
export interface Cloud {
  readonly metadataHost?: string | undefined
  readonly environment?: string | undefined
}

export type ResourceStatus = 'exists' | 'deleted' | 'unknown'

export type Statuses = ReadonlyMap<StackResource, ResourceStatus>

const endpoints: Readonly<Record<string, string>> = {
  public: 'https://management.azure.com',
  usgovernment: 'https://management.usgovcloudapi.net',
  china: 'https://management.chinacloudapi.cn',
}
/** Codes of a 404 that do not mean that the resource is deleted. */
const invalidAddressCodes =
  /^(?:SubscriptionNotFound|InvalidSubscriptionId|InvalidResourceType|InvalidResourceNamespace)$/

/** Opens a client of the cloud's resource manager, with the user's account. */
export async function openResourceManager(cloud: Cloud, credential: TokenCredential) {
  const endpoint = await findEndpoint(cloud)
  return { endpoint, client: new ResourceManagementClient(credential, { endpoint }) }
}

/**
 * Returns a function that checks resources in Azure with the user's account. It rejects if the account is not signed in or
 * does not have access to the subscription.
 */
export async function createResourceCheck(cloud: Cloud, credential: TokenCredential) {
  const { endpoint, client } = await openResourceManager(cloud, credential)
  const check = async ({ id, apiVersion }: StackResource): Promise<ResourceStatus> => {
    if (apiVersion === undefined) return 'unknown'
    try {
      await client.resources.getById(id.slice(1), apiVersion)
      return 'exists'
    } catch (error) {
      const { statusCode, code = '' } = error as Error & { statusCode?: number; code?: string }
      const signInError = formatSignInError(error as Error)
      if (signInError !== undefined) throw new Error(signInError, { cause: error })
      if (statusCode === 404 && !invalidAddressCodes.test(code)) return 'deleted'
      // Azure responds the same way after a role assignment was deleted with its scope.
      if (statusCode === 403) return 'unknown'
      if (statusCode === undefined) throw error
      const account = 'check your account and subscription with `az account show`'
      throw new Error(`${endpoint} responded with ${statusCode} ${code} for ${id}: ${account}`, { cause: error })
    }
  }
  return async (resources: readonly StackResource[]): Promise<Statuses> => {
    const checks = resources.map(async (resource) => [resource, await check(resource)] as const)
    return inheritParentStatus(new Map(await Promise.all(checks)))
  }
}

/** Resources with an unknown status have the status of the resource that contains them. */
export function inheritParentStatus(statuses: Statuses): Statuses {
  const parentsFirst = [...statuses.keys()].toSorted((one, other) => one.id.length - other.id.length)
  const inherited = new Map(statuses)
  for (const resource of parentsFirst) {
    const parent = parentsFirst.findLast(({ id }) => isInside(resource.id, id))
    if (inherited.get(resource) === 'unknown' && parent) inherited.set(resource, inherited.get(parent)!)
  }
  return inherited
}

function isInside(id: string, parentId: string): boolean {
  return id.toLowerCase().startsWith(`${parentId.toLowerCase()}/`)
}

/** Returns the cloud that a stack's provider is configured for. `fallback` is used where the configuration has no value. */
export function toCloud(provider: StackState['provider'], fallback: Cloud): Cloud {
  const { metadataHost = fallback.metadataHost, environment = fallback.environment } = provider as Cloud
  return { metadataHost, environment }
}

/** Returns the origin of the cloud's resource manager. */
export async function findEndpoint({ metadataHost, environment = 'public' }: Cloud): Promise<string> {
  if (metadataHost !== undefined) return findResourceManager(metadataHost)
  const endpoint = endpoints[environment.toLowerCase()]
  if (endpoint !== undefined) return endpoint
  const known = Object.keys(endpoints).join(', ')
  throw new Error(`azure-native:environment is ${JSON.stringify(environment)}: expected one of ${known}`)
}

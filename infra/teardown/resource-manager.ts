import { ResourceManagementClient } from '@azure/arm-resources'
import type { TokenCredential } from '@azure/identity'
import { formatSignInError } from '../azure-error.ts'
import { findEndpoint, type Cloud } from '../cloud.ts'
import type { StackResource } from '../stack/stack-state.ts'

export type ResourceStatus = 'exists' | 'deleted' | 'unknown'

export type Statuses = ReadonlyMap<StackResource, ResourceStatus>

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

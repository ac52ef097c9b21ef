import { createPipelineRequest } from '@azure/core-rest-pipeline'
import type { TokenCredential } from '@azure/identity'
import type { StackResource } from '../stack/stack-state.ts'
import { openResourceManager } from './resource-manager.ts'
import type { Cloud } from '../cloud.ts'

interface LockPage {
  readonly value: readonly { readonly id: string }[]
  readonly nextLink?: string
}

/**
 * Returns the ids of the locks in the stack's group that the stack did not create. Each prevents the deletion of the group,
 * which Azure reports only after most of the stack is destroyed.
 */
export async function findForeignLocks(
  resources: readonly StackResource[],
  cloud: Cloud,
  credential: TokenCredential,
): Promise<readonly string[]> {
  const { endpoint, client } = await openResourceManager(cloud, credential)
  const own = new Set(resources.map(({ id }) => id.toLowerCase()))
  const found: string[] = []
  for (const group of resources.filter(({ type }) => type === 'ResourceGroup')) {
    let url: string | undefined =
      `${endpoint}${group.id}/providers/Microsoft.Authorization/locks?api-version=2020-05-01`
    while (url !== undefined) {
      const { status, bodyAsText } = await client.sendRequest(createPipelineRequest({ url }))
      if (status !== 200)
        throw new Error(`${endpoint} responded with ${status} for the locks of ${group.id}: you need the Reader role`)
      const page: LockPage = JSON.parse(bodyAsText!) as LockPage
      found.push(...page.value.map(({ id }) => id).filter((id) => !own.has(id.toLowerCase())))
      url = page.nextLink
    }
  }
  return found
}

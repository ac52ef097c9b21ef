import { wellKnownTenantId } from '../entra/tenant.ts'
import type { RawResponse } from '../raw-request.ts'
import { notFound } from './arm-error.ts'
import { respondToGet, type ArmRequest } from './arm-request.ts'
import { isSame } from './resource-id.ts'
import type { ResourceTree } from './resource-tree.ts'

/** Subscription of the emulator's service principal. Any other id works as well. */
export const servedSubscriptionId = '00000000-0000-4000-8000-000000000000'

/** Lists the served subscription and those in use. */
export function listSubscriptions(tree: ResourceTree): object {
  const used = tree.list().flatMap(({ id: { subscription } }) => (subscription === '' ? [] : [subscription]))
  const ids = [...new Set([servedSubscriptionId, ...used])]
  const count = { type: 'Total', value: ids.length }
  return { value: ids.map(describeSubscription), count }
}

/** Handles a request to a subscription (an empty `word`) or its resources. Throws an `ArmError` for any other word. */
export function respondToSubscription(
  request: ArmRequest,
  subscription: string,
  word: string,
  tree: ResourceTree,
): RawResponse {
  const id = `/subscriptions/${subscription}`
  if (word !== '' && !isSame(word, 'resources')) throw notFound(`${id}/${word}`)
  return respondToGet(request, () => (word === '' ? describeSubscription(subscription) : tree.showAll({ id })))
}

export function describeTenant(): object {
  return {
    id: `/tenants/${wellKnownTenantId}`,
    tenantId: wellKnownTenantId,
    tenantCategory: 'Home',
    tenantType: 'AAD',
    displayName: 'emulated Azure',
    defaultDomain: 'emulator.example',
    domains: ['emulator.example'],
    countryCode: 'US',
  }
}

function describeSubscription(subscriptionId: string): object {
  return {
    id: `/subscriptions/${subscriptionId}`,
    authorizationSource: 'RoleBased',
    managedByTenants: [],
    subscriptionId,
    tenantId: wellKnownTenantId,
    displayName: 'emulated Azure',
    state: 'Enabled',
    subscriptionPolicies: {
      locationPlacementId: 'Public_2014-09-01',
      quotaId: 'PayAsYouGo_2014-09-01',
      spendingLimit: 'Off',
    },
  }
}

import { wellKnownTenantId } from '../entra/tenant.ts'

/** Subscription of the emulator's service principal. Any other id is served too. */
export const servedSubscriptionId = '00000000-0000-4000-8000-000000000000'

export function describeSubscription(subscriptionId: string): object {
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

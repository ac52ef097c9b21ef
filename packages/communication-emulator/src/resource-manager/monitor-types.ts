import { invalidContent } from './arm-request.ts'
import { requireLocation } from './location.ts'
import type { ResourceType } from './resource-types.ts'

const autoscaleSetting: ResourceType = {
  type: 'Microsoft.Insights/autoscaleSettings',
  listedApiVersion: '2021-05-01-preview',
  put(id, requested) {
    const { profiles } = requested.properties ?? {}
    if (!Array.isArray(profiles) || profiles.length === 0) throw invalidContent("'profiles' is required.")
    return requireLocation(id, requested)
  },
}

/** Types of the provider Microsoft.Insights. */
export const monitorTypes: readonly ResourceType[] = [autoscaleSetting]

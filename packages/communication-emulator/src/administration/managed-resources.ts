import { communicationServiceType } from '../resource-manager/communication-service.ts'
import { isSame } from '../resource-manager/resource-id.ts'
import type { ManagedResource, StoredResource } from '../resource-manager/resource-types.ts'
import type { Administration } from './administration.ts'

/** Returns a function that converts a resource to its entry in a list. */
export function toManagedResource({ resources }: Administration) {
  return ({ id: { id, type, name }, envelope: { location } }: StoredResource): ManagedResource => {
    const served = isSame(type, communicationServiceType) && resources.find((resource) => resource.name === name)
    return { id, type, name, location, endpoint: served ? served.endpoint : undefined }
  }
}

import { formatConnectionString } from '../access-key.ts'
import type { EmulatedResources, OpenResource } from '../emulated-resources.ts'
import type { RawResponse } from '../raw-request.ts'
import type { Resource } from '../resource.ts'
import { ArmError } from './arm-error.ts'
import { invalidContent } from './arm-request.ts'
import { checkProperties, type CommunicationServiceProperties } from './communication-service-properties.ts'
import { isSame } from './resource-id.ts'
import type { ActionContext, ResourceType, StoredResource } from './resource-types.ts'

export const communicationServiceType = 'Microsoft.Communication/communicationServices'

/** Type `Microsoft.Communication/communicationServices`, whose resources are fully emulated, each at its own endpoint. */
export function communicationService(live: EmulatedResources): ResourceType {
  return {
    type: communicationServiceType,
    displayType: 'microsoft.communication/communicationservices',
    apiVersions: [
      '2020-08-20',
      '2023-03-31',
      '2023-04-01',
      '2023-04-01-preview',
      '2023-06-01-preview',
      '2024-09-01-preview',
      '2025-05-01',
      '2025-05-01-preview',
      '2025-09-01',
      '2026-03-18',
    ],
    isLongRunning: true,
    globalName: {
      invalid: () => ({ reason: 'Invalid', message: 'Requested name is invalid for the requested type' }),
      taken: () => ({ reason: 'AlreadyExists', message: 'Requested name is unavailable for the requested type' }),
      conflict: () => new ArmError(400, 'HostNamePrefixTaken', 'Specified host name prefix is not available'),
      isReserved: (name) => live.find(name) !== undefined,
    },
    hasSystemData: true,
    deferredProperties: ['hostName', 'immutableResourceId'],
    pattern: /^[-\w]{1,63}$/,
    async put({ name }, requested, before) {
      const properties = checkProperties(requested, before)
      const { endpoint, resource } =
        live.find(name) ?? (await live.open({ name, port: 0, dataLocation: properties.dataLocation }))
      resource.restriction = toRestriction(properties)
      const { location, tags, identity = { type: 'None' } } = requested
      // The port is stored so that the endpoint survives a restart.
      return { location, ...(tags && { tags }), identity, properties, port: Number(new URL(endpoint).port) }
    },
    show: ({ id, envelope: { location, tags, systemData, identity, properties } }) => {
      const { endpoint, resource } = live.find(id.name)!
      const own = { hostName: new URL(endpoint).host, immutableResourceId: resource.immutableId }
      return { location, tags, systemData, identity, properties: { ...own, ...properties } }
    },
    onDeleted: ({ id }) => live.close(id.name),
    actions: {
      listkeys: ({ resource }) => ({ status: 200, body: describeKeys(live.find(resource.id.name)!) }),
      regeneratekey: ({ resource, body }) => regenerateKey(live.find(resource.id.name)!, body['keyType']),
      linknotificationhub: linkNotificationHub,
    },
  }
}

/** Reopens the communication services among the stored resources after a restart. */
export async function restoreCommunicationServices(
  live: EmulatedResources,
  stored: readonly StoredResource[],
): Promise<void> {
  for (const { id, envelope } of stored) {
    if (!isSame(id.type, communicationServiceType)) continue
    const properties = envelope.properties as unknown as CommunicationServiceProperties
    const port = envelope['port'] as number
    const { resource } = await live.open({ name: id.name, port, dataLocation: properties.dataLocation })
    resource.restriction = toRestriction(properties)
  }
}

function toRestriction(properties: CommunicationServiceProperties): Resource['restriction'] {
  const { disableLocalAuth, publicNetworkAccess } = properties
  return { isLocalAuthDisabled: disableLocalAuth, isPublicAccessDisabled: publicNetworkAccess === 'Disabled' }
}

function linkNotificationHub({ resource: { envelope }, body, save }: ActionContext): RawResponse {
  const { resourceId, connectionString } = body
  if (typeof resourceId !== 'string' || typeof connectionString !== 'string') {
    throw invalidContent("'resourceId' and 'connectionString' are required.")
  }
  save({ ...envelope, properties: { ...envelope.properties, notificationHubId: resourceId } })
  return { status: 200, body: { resourceId } }
}

function describeKeys({ endpoint, resource }: OpenResource) {
  const [primaryKey, secondaryKey] = [resource.key('primary'), resource.key('secondary')]
  return {
    primaryKey,
    secondaryKey,
    primaryConnectionString: formatConnectionString(endpoint, primaryKey),
    secondaryConnectionString: formatConnectionString(endpoint, secondaryKey),
  }
}

function regenerateKey(live: OpenResource, keyType: unknown): RawResponse {
  const slot = String(keyType).toLowerCase()
  if (slot !== 'primary' && slot !== 'secondary') throw invalidContent("'keyType' must be Primary or Secondary.")
  live.resource.regenerateKey(slot)
  const { primaryKey, primaryConnectionString, secondaryKey, secondaryConnectionString } = describeKeys(live)
  return {
    status: 200,
    body: slot === 'primary' ? { primaryKey, primaryConnectionString } : { secondaryKey, secondaryConnectionString },
  }
}

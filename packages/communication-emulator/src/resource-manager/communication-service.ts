import { invalid } from './arm-error.ts'
import type { RawResponse } from '../raw-request.ts'
import { communicationServiceName } from './global-names.ts'
import { formatConnectionString } from '../access-key.ts'
import type { Resource } from '../resource.ts'
import { isSameLocation } from './location.ts'
import type { ActionContext, Envelope, KnownResource, ResourceType } from './resource-types.ts'

/** A resource of the data plane, which lives and dies with the managed one. */
interface LiveResource {
  readonly endpoint: string
  readonly resource: Resource
}

export interface LiveResources {
  open(options: { name: string; port: number; dataLocation: string }): Promise<LiveResource>
  find(name: string): LiveResource | undefined
  close(name: string): Promise<void>
}

/** As Terraform's documentation lists them; the API description has a free string. */
const dataLocations = [
  'Africa',
  'Asia Pacific',
  'Australia',
  'Brazil',
  'Canada',
  'Europe',
  'France',
  'Germany',
  'India',
  'Japan',
  'Korea',
  'Norway',
  'Switzerland',
  'UAE',
  'UK',
  'usgov',
  'United States',
]

/** As they are kept, once they were checked. */
type Properties = {
  readonly notificationHubId?: string
  readonly dataLocation: string
  readonly linkedDomains: readonly string[]
  readonly publicNetworkAccess: 'Enabled' | 'Disabled' | 'SecuredByPerimeter'
  readonly disableLocalAuth: boolean
}

const typeName = 'Microsoft.Communication/communicationServices'

/** `Microsoft.Communication/communicationServices`: each one is alive, at an endpoint of its own. */
export function communicationService(live: LiveResources): ResourceType {
  return {
    type: typeName,
    shownType: 'microsoft.communication/communicationservices',
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
    globalName: communicationServiceName((name) => live.find(name) !== undefined),
    hasSystemData: true,
    laterProperties: ['hostName', 'immutableResourceId'],
    pattern: /^[-\w]{1,63}$/,
    async put({ name }, asked, before) {
      const properties = checkProperties(asked, before)
      // The port is the emulator's own affair, and stays the same for as long as the resource lives.
      const { endpoint, resource } =
        live.find(name) ?? (await live.open({ name, port: 0, dataLocation: properties.dataLocation }))
      resource.restriction = restrictionOf(properties)
      const { location, tags, identity } = asked
      return {
        location,
        ...(tags && { tags }),
        identity: identity ?? { type: 'None' },
        properties,
        port: Number(new URL(endpoint).port),
      }
    },
    show: ({ id, envelope: { location, tags, systemData, identity, properties } }) => {
      const { endpoint, resource } = live.find(id.name)!
      const own = { hostName: new URL(endpoint).host, immutableResourceId: resource.immutableId }
      return { location, tags, systemData, identity, properties: { ...own, ...properties } }
    },
    deleted: ({ id }) => live.close(id.name),
    actions: {
      listkeys: ({ resource }) => ({ status: 200, body: keysOf(live.find(resource.id.name)!) }),
      regeneratekey: ({ resource, body }) => regenerate(live.find(resource.id.name)!, body['keyType']),
      linknotificationhub: linkNotificationHub,
    },
  }
}

/** After a restart, those that the store remembers come to life again. */
export async function reviveCommunicationServices(live: LiveResources, kept: readonly KnownResource[]): Promise<void> {
  for (const { id, envelope } of kept) {
    if (id.type.toLowerCase() !== typeName.toLowerCase()) continue
    const properties = envelope.properties as Properties
    const port = envelope['port'] as number
    const { resource } = await live.open({ name: id.name, port, dataLocation: properties.dataLocation })
    resource.restriction = restrictionOf(properties)
  }
}

function restrictionOf({ disableLocalAuth, publicNetworkAccess }: Properties): Resource['restriction'] {
  return { isLocalAuthDisabled: disableLocalAuth, isPublicAccessDisabled: publicNetworkAccess === 'Disabled' }
}

function checkProperties({ location, properties = {} }: Envelope, before: Envelope | undefined): Properties {
  if (String(location).toLowerCase() !== 'global') {
    throw invalid('LocationNotAvailableForResourceType', `The location must be 'global', not '${location}'.`)
  }
  const {
    dataLocation,
    linkedDomains = [],
    publicNetworkAccess = 'Enabled',
    disableLocalAuth = false,
  } = properties as Partial<Record<keyof Properties, unknown>>
  const isDataLocation =
    typeof dataLocation === 'string' && dataLocations.some((known) => isSameLocation(known, dataLocation))
  if (!isDataLocation) {
    throw invalid(
      'InvalidDataLocation',
      `dataLocation '${String(dataLocation)}' must be one of: ${dataLocations.join(', ')}.`,
    )
  }
  if (before && !isSameLocation(before.properties?.['dataLocation'], dataLocation)) {
    throw invalid(
      'InvalidDataLocation',
      `dataLocation can't be changed; it is '${String(before.properties?.['dataLocation'])}'.`,
    )
  }
  if (!Array.isArray(linkedDomains) || !linkedDomains.every((domain) => typeof domain === 'string')) {
    throw invalid('InvalidRequestContent', 'linkedDomains must be a list of resource ids.')
  }
  if (typeof disableLocalAuth !== 'boolean')
    throw invalid('InvalidRequestContent', 'disableLocalAuth must be a boolean.')
  const isAccess =
    publicNetworkAccess === 'Enabled' ||
    publicNetworkAccess === 'Disabled' ||
    publicNetworkAccess === 'SecuredByPerimeter'
  if (!isAccess) {
    throw invalid('InvalidRequestContent', 'publicNetworkAccess must be Enabled, Disabled or SecuredByPerimeter.')
  }
  // Read-only here: only linkNotificationHub sets it.
  const notificationHubId = before?.properties?.['notificationHubId'] as string | undefined
  const linked = notificationHubId !== undefined && { notificationHubId }
  return { dataLocation, linkedDomains, publicNetworkAccess, disableLocalAuth, ...linked }
}

function linkNotificationHub({ resource: { envelope }, body, save }: ActionContext): RawResponse {
  const { resourceId, connectionString } = body
  if (typeof resourceId !== 'string' || typeof connectionString !== 'string') {
    throw invalid('InvalidRequestContent', 'resourceId and connectionString are required.')
  }
  save({ ...envelope, properties: { ...envelope.properties, notificationHubId: resourceId } })
  return { status: 200, body: { resourceId } }
}

function keysOf({ endpoint, resource }: LiveResource) {
  const [primaryKey, secondaryKey] = [resource.key('primary'), resource.key('secondary')]
  return {
    primaryKey,
    secondaryKey,
    primaryConnectionString: formatConnectionString(endpoint, primaryKey),
    secondaryConnectionString: formatConnectionString(endpoint, secondaryKey),
  }
}

function regenerate(live: LiveResource, keyType: unknown): RawResponse {
  const slot = String(keyType).toLowerCase()
  if (slot !== 'primary' && slot !== 'secondary')
    throw invalid('InvalidRequestContent', 'keyType must be Primary or Secondary.')
  live.resource.regenerateKey(slot)
  const { primaryKey, primaryConnectionString, secondaryKey, secondaryConnectionString } = keysOf(live)
  return {
    status: 200,
    body: slot === 'primary' ? { primaryKey, primaryConnectionString } : { secondaryKey, secondaryConnectionString },
  }
}

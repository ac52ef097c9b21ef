import { ArmError, invalid } from './arm-error.ts'
import type { Answer } from '../exchange.ts'
import type { KeySlot } from '../resource.ts'
import type { Envelope, KnownResource, ResourceType } from './resource-types.ts'

/** A resource of the data plane, which lives and dies with the managed one. */
interface LiveResource {
  readonly endpoint: string
  readonly immutableResourceId: string
  readonly connectionString: string
  readonly secondaryConnectionString: string
  regenerateKey(slot: KeySlot): string
}

export interface LiveResources {
  open(options: { name: string; port: number; dataLocation: string }): Promise<LiveResource>
  has(name: string): boolean
  find(name: string): LiveResource
  close(name: string): Promise<void>
  restrict(name: string, restriction: { isLocalAuthDisabled: boolean; isPublicAccessDisabled: boolean }): void
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

interface Properties {
  readonly dataLocation?: unknown
  readonly linkedDomains?: unknown
  readonly publicNetworkAccess?: unknown
  readonly disableLocalAuth?: unknown
}

/** `Microsoft.Communication/communicationServices`: each one is alive, at an endpoint of its own. */
export function communicationService(live: LiveResources): ResourceType {
  return {
    type: 'Microsoft.Communication/communicationServices',
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
    isNameGlobal: true,
    pattern: /^[-\w]{1,63}$/,
    async put({ name }, asked, before) {
      const properties = checkProperties(asked, before)
      if (!before && live.has(name)) throw new ArmError(409, 'NameUnavailable', `The name ${name} is taken.`)
      // The port is the emulator's own affair, and stays the same for as long as the resource lives.
      const { endpoint } = before
        ? live.find(name)
        : await live.open({ name, port: 0, dataLocation: properties.dataLocation })
      live.restrict(name, {
        isLocalAuthDisabled: properties.disableLocalAuth,
        isPublicAccessDisabled: properties.publicNetworkAccess === 'Disabled',
      })
      const { tags, identity } = asked
      return {
        location: 'global',
        ...(tags && { tags }),
        identity: identity ?? { type: 'None' },
        properties,
        port: Number(new URL(endpoint).port),
      }
    },
    show: ({ id, envelope: { location, tags, identity, properties } }) => {
      const { endpoint, immutableResourceId } = live.find(id.name)
      const envelope = { location, tags, identity, properties }
      return {
        ...envelope,
        properties: { hostName: new URL(endpoint).host, immutableResourceId, ...envelope.properties },
      }
    },
    deleted: ({ id }) => live.close(id.name),
    actions: {
      listkeys: ({ resource }) => ({ status: 200, body: keysOf(live.find(resource.id.name)) }),
      regeneratekey: ({ resource, body }) => regenerate(live.find(resource.id.name), body['keyType']),
    },
  }
}

/** After a restart, those that the store remembers come to life again. */
export async function reviveCommunicationServices(live: LiveResources, kept: readonly KnownResource[]): Promise<void> {
  for (const { id, envelope } of kept) {
    if (id.type !== 'Microsoft.Communication/communicationServices') continue
    const { dataLocation, disableLocalAuth, publicNetworkAccess } = envelope.properties as ReturnType<
      typeof checkProperties
    >
    await live.open({ name: id.name, port: envelope['port'] as number, dataLocation })
    live.restrict(id.name, {
      isLocalAuthDisabled: disableLocalAuth,
      isPublicAccessDisabled: publicNetworkAccess === 'Disabled',
    })
  }
}

function checkProperties({ location, properties = {} }: Envelope, before: Envelope | undefined) {
  if (String(location).toLowerCase() !== 'global') {
    throw invalid('LocationNotAvailableForResourceType', `The location must be 'global', not '${location}'.`)
  }
  const {
    dataLocation,
    linkedDomains = [],
    publicNetworkAccess = 'Enabled',
    disableLocalAuth = false,
  } = properties as Properties
  const isDataLocation = typeof dataLocation === 'string' && dataLocations.includes(dataLocation)
  if (!isDataLocation) {
    throw invalid(
      'InvalidDataLocation',
      `dataLocation '${String(dataLocation)}' is none of: ${dataLocations.join(', ')}.`,
    )
  }
  if (before && before.properties?.['dataLocation'] !== dataLocation) {
    throw invalid(
      'InvalidDataLocation',
      `dataLocation can't be changed; it is '${String(before.properties?.['dataLocation'])}'.`,
    )
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
  return { dataLocation, linkedDomains, publicNetworkAccess, disableLocalAuth }
}

function keysOf({ connectionString, secondaryConnectionString }: LiveResource) {
  return {
    primaryKey: keyOf(connectionString),
    secondaryKey: keyOf(secondaryConnectionString),
    primaryConnectionString: connectionString,
    secondaryConnectionString,
  }
}

function keyOf(connectionString: string): string {
  return /accesskey=(.+)$/.exec(connectionString)![1]!
}

function regenerate(resource: LiveResource, keyType: unknown): Answer {
  const slot = String(keyType).toLowerCase()
  if (slot !== 'primary' && slot !== 'secondary')
    throw invalid('InvalidRequestContent', 'keyType must be Primary or Secondary.')
  resource.regenerateKey(slot)
  const { primaryKey, primaryConnectionString, secondaryKey, secondaryConnectionString } = keysOf(resource)
  return {
    status: 200,
    body: slot === 'primary' ? { primaryKey, primaryConnectionString } : { secondaryKey, secondaryConnectionString },
  }
}

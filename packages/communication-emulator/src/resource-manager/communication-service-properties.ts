import { invalid } from './arm-error.ts'
import { invalidContent } from './arm-request.ts'
import { isSameLocation } from './location.ts'
import type { Envelope } from './resource-types.ts'

const accessModes = ['Enabled', 'Disabled', 'SecuredByPerimeter'] as const

/** Stored properties of a communication service. */
export type CommunicationServiceProperties = {
  readonly notificationHubId?: string
  readonly dataLocation: string
  readonly linkedDomains: readonly string[]
  readonly publicNetworkAccess: (typeof accessModes)[number]
  readonly disableLocalAuth: boolean
}

/** Data locations in Terraform's documentation; the API description allows any string. */
const dataLocations =
  'Africa, Asia Pacific, Australia, Brazil, Canada, Europe, France, Germany, India, Japan, Korea, Norway, Switzerland, UAE, UK, usgov, United States'

/** Returns the properties to store. Throws an `ArmError`. */
export function checkProperties(
  { location, properties = {} }: Envelope,
  before: Envelope | undefined,
): CommunicationServiceProperties {
  if (String(location).toLowerCase() !== 'global') {
    throw invalid('LocationNotAvailableForResourceType', `The location must be 'global', not '${location}'.`)
  }
  const {
    dataLocation,
    linkedDomains = [],
    publicNetworkAccess = 'Enabled',
    disableLocalAuth = false,
  }: Partial<Record<keyof CommunicationServiceProperties, unknown>> = properties
  if (
    typeof dataLocation !== 'string' ||
    !dataLocations.split(', ').some((known) => isSameLocation(known, dataLocation))
  ) {
    throw invalid('InvalidDataLocation', `dataLocation '${String(dataLocation)}' must be one of: ${dataLocations}.`)
  }
  const former = before?.properties as CommunicationServiceProperties | undefined
  if (former && !isSameLocation(former.dataLocation, dataLocation)) {
    throw invalid('InvalidDataLocation', `dataLocation cannot be changed: it is '${former.dataLocation}'.`)
  }
  if (!Array.isArray(linkedDomains) || !linkedDomains.every((domain) => typeof domain === 'string')) {
    throw invalidContent("'linkedDomains' must be a list of resource ids.")
  }
  if (typeof disableLocalAuth !== 'boolean') throw invalidContent("'disableLocalAuth' must be a boolean.")
  const access = accessModes.find((mode) => mode === publicNetworkAccess)
  if (!access) throw invalidContent(`'publicNetworkAccess' must be one of: ${accessModes.join(', ')}.`)
  // linkNotificationHub sets this property; other requests cannot.
  const linked = former?.notificationHubId !== undefined && { notificationHubId: former.notificationHubId }
  return { dataLocation, linkedDomains, publicNetworkAccess: access, disableLocalAuth, ...linked }
}

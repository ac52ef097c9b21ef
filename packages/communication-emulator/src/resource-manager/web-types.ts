import { isObject } from '../raw-request.ts'
import { ArmError } from './arm-error.ts'
import { invalidContent } from './arm-request.ts'
import { requireLocation } from './location.ts'
import { isSame } from './resource-id.ts'
import type { Envelope, ResourceType, StoredResource } from './resource-types.ts'

/** Member of a site that stores those parts of it that have a path of their own; never shown. */
const partsMember = 'parts'

type Properties = Readonly<Record<string, unknown>>

/** guess(site-logs) */
const defaultLogs = {
  applicationLogs: { fileSystem: { level: 'Off' } },
  httpLogs: { fileSystem: { enabled: false, retentionInMb: 35 } },
  failedRequestsTracing: { enabled: false },
  detailedErrorMessages: { enabled: false },
}

const plan: ResourceType = {
  type: 'Microsoft.Web/serverfarms',
  listedApiVersion: '2025-05-01',
  createdStatus: 200,
  pattern: /^[-\w]{1,60}$/,
  put: requireLocation,
}

const site: ResourceType = {
  type: 'Microsoft.Web/sites',
  listedApiVersion: '2025-05-01',
  createdStatus: 200,
  globalName: {
    alias: 'Site',
    free: { reason: '', message: '' },
    // guess(site-names)
    invalid: (name) => ({ reason: 'Invalid', message: `'${name}' is not a valid site name.` }),
    taken: (name) => ({
      reason: 'AlreadyExists',
      message: `Hostname '${name}' already exists. Please select a different name.`,
    }),
    conflict: (name) => new ArmError(409, 'Conflict', `Website with given name ${name} already exists.`),
  },
  pattern: /^[-a-zA-Z\d]{2,60}$/,
  inherit(requested, before) {
    const { appSettings } = getSiteConfig(before)
    const siteConfig = requested.properties?.['siteConfig'] ?? {}
    if (!appSettings || !isObject(siteConfig)) return requested
    return withSiteConfig(requested, { appSettings, ...siteConfig })
  },
  put(id, requested, before) {
    checkSiteConfig(requested.properties?.['siteConfig'])
    requireLocation(id, requested)
    return { ...requested, [partsMember]: before?.[partsMember] }
  },
  alsoDeletes(site, others, query) {
    const plan = getPlan(site)
    if (query.get('deleteEmptyServerFarm') === 'false' || others.some((other) => isSame(getPlan(other), plan)))
      return undefined
    return plan
  },
  // App settings may be secrets, so only their own action shows them.
  show: ({ id, envelope: stored }) => {
    const { [partsMember]: _, ...envelope } = stored
    const { siteConfig: __, ...properties } = envelope.properties ?? {}
    const defaultHostName = `${id.name}.azurewebsites.localhost`
    return { ...envelope, properties: { ...properties, state: 'Running', defaultHostName } }
  },
}

const siteConfiguration: ResourceType = {
  type: 'Microsoft.Web/sites/config',
  listedApiVersion: '2025-05-01',
  createdStatus: 200,
  view({ name }, { envelope }) {
    const siteConfig = getSiteConfig(envelope)
    if (isSame(name, 'web')) return { properties: { ...siteConfig, appSettings: null } }
    if (isSame(name, 'logs')) return { properties: getPart(envelope, 'logs', defaultLogs) }
    if (!isSame(name, 'appsettings')) return undefined
    const settings = siteConfig.appSettings ?? []
    return { properties: Object.fromEntries(settings.map(({ name: setting, value }) => [setting, value])) }
  },
  writeToParent({ name }, { envelope }, { properties = {} }) {
    const before = getSiteConfig(envelope)
    if (isSame(name, 'web')) {
      checkSiteConfig(properties)
      return withSiteConfig(envelope, { ...properties, appSettings: properties['appSettings'] ?? before.appSettings })
    }
    if (isSame(name, 'logs')) return withPart(envelope, 'logs', properties)
    if (!isSame(name, 'appsettings')) return undefined
    const appSettings = Object.entries(properties).map(([setting, value]) => ({ name: setting, value: String(value) }))
    return withSiteConfig(envelope, { ...before, appSettings })
  },
  show: ({ id, envelope }) => (isSame(id.name, 'appsettings') ? { ...envelope, properties: {} } : envelope),
  actions: {
    list: ({ resource: { id, envelope } }) => ({ status: 200, body: { id: id.id, name: id.name, ...envelope } }),
  },
}

const publishingPolicyName = /^(?:scm|ftp)$/i

/** Whether the SCM site or FTP accepts passwords. */
const publishingPolicy: ResourceType = {
  type: 'Microsoft.Web/sites/basicPublishingCredentialsPolicies',
  listedApiVersion: '2025-05-01',
  createdStatus: 200,
  pattern: publishingPolicyName,
  view({ name }, { envelope }) {
    if (!publishingPolicyName.test(name)) return undefined
    return { properties: getPart(envelope, name.toLowerCase(), { allow: true }) }
  },
  writeToParent({ name }, { envelope }, { properties = {} }) {
    if (!publishingPolicyName.test(name)) return undefined
    if (typeof properties['allow'] !== 'boolean') throw invalidContent("'allow' must be true or false.")
    return withPart(envelope, name.toLowerCase(), properties)
  },
}

/** Types of the provider Microsoft.Web. */
export const webTypes: readonly ResourceType[] = [plan, site, siteConfiguration, publishingPolicy]

interface SiteConfig {
  readonly appSettings?: readonly { readonly name: string; readonly value: string }[]
}

function getPlan({ envelope }: StoredResource): string {
  const id = envelope.properties?.['serverFarmId']
  return typeof id === 'string' ? id : ''
}

function getSiteConfig({ properties }: Envelope): SiteConfig {
  return properties?.['siteConfig'] ?? {}
}

/** Throws an `ArmError`; null counts as absent. */
function checkSiteConfig(siteConfig: unknown): void {
  if (siteConfig === undefined || siteConfig === null) return
  if (!isObject(siteConfig)) throw invalidContent("'siteConfig' must be an object.")
  const appSettings = siteConfig['appSettings'] ?? []
  if (Array.isArray(appSettings) && appSettings.every(isSetting)) return
  throw invalidContent("'appSettings' must be a list of { name, value }, both strings.")
}

function isSetting(setting: unknown): boolean {
  return isObject(setting) && typeof setting['name'] === 'string' && typeof setting['value'] === 'string'
}

function withSiteConfig(envelope: Envelope, siteConfig: Readonly<Record<string, unknown>>): Envelope {
  return { ...envelope, properties: { ...envelope.properties, siteConfig } }
}

/** Returns a part of a site, with the defaults of members that were not set. */
function getPart(envelope: Envelope, name: string, defaults: Properties): Properties {
  return { ...defaults, ...(envelope[partsMember] as Readonly<Record<string, Properties>> | undefined)?.[name] }
}

function withPart(envelope: Envelope, name: string, properties: Properties): Envelope {
  return { ...envelope, [partsMember]: { ...(envelope[partsMember] as object | undefined), [name]: properties } }
}

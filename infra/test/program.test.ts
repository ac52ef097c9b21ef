import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { settings } from '@acs-kit/service-settings'
import { isSecret, runtime, type Output } from '@pulumi/pulumi'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { ServiceSettings } from '../app-settings.ts'
import { roles } from '../site-identity.ts'

const group = '/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/group'
const issuers = [{ issuer: 'https://sign-in.example', audience: 'api://tokens' }]

interface Made {
  readonly type: string
  readonly name: string
  readonly inputs: Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any -- asserted, not trusted
}

/** Runs the program of a stack with no engine and no Azure: what it asks for is what counts. */
async function deploy(config: Record<string, unknown> = {}, stack = 'dev') {
  const made: Made[] = []
  const calls: string[] = []
  await runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        made.push({ type, name, inputs: unwrap(inputs) as Made['inputs'] })
        const id = `${group}/providers/${type.split(':').slice(1).join('/')}/${name}`
        return {
          id,
          state: {
            ...(inputs as object),
            name: `${name}-made`,
            hostName: 'calls.communication.azure.com',
            immutableResourceId: 'immutable',
            defaultHostName: 'site.azurewebsites.net',
            primaryEndpoints: {
              table: 'https://map.table.core.windows.net/',
              blob: 'https://pkg.blob.core.windows.net/',
            },
          },
        }
      },
      call({ token }) {
        calls.push(token)
        if (token === 'azure-native:managedidentity:getUserAssignedIdentity')
          return { clientId: 'client', principalId: 'principal' }
        if (token !== 'azure-native:communication:listCommunicationServiceKeys')
          throw new Error(`nobody expected ${token}`)
        return {
          primaryKey: 'key-1',
          secondaryKey: 'key-2',
          primaryConnectionString: 'endpoint=https://calls;accesskey=key-1',
          secondaryConnectionString: 'endpoint=https://calls;accesskey=key-2',
        }
      },
    },
    'acs-kit',
    stack,
  )
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
  const all = { issuers, deployPackage: false, ...config }
  runtime.setAllConfig({
    'azure-native:location': 'westeurope',
    ...Object.fromEntries(Object.entries(all).map(([name, value]) => [`acs-kit:${name}`, text(value)])),
  })
  vi.resetModules()
  const outputs = (await import('../index.ts')) as Record<string, Output<unknown>>
  const values = await Promise.all(
    Object.entries(outputs)
      .filter(([, output]) => output !== undefined)
      .map(async ([name, output]) => [
        name,
        { value: await new Promise((resolve) => output.apply(resolve)), isSecret: await isSecret(output) },
      ]),
  )
  return {
    made,
    calls,
    one: (type: string) => {
      const found = made.filter((resource) => resource.type === `azure-native:${type}`)
      expect(found, type).toHaveLength(1)
      return found[0]!.inputs
    },
    outputs: Object.fromEntries(values) as Record<string, { value: unknown; isSecret: boolean }>,
  }
}

/** Secrets reach the engine in an envelope. */
function unwrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrap)
  if (typeof value !== 'object' || value === null) return value
  if ('4dabf18193072939515e22adb298388d' in value) return unwrap((value as unknown as { value: unknown }).value)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, unwrap(member)]))
}

const settingsOf = (site: Made['inputs']) =>
  Object.fromEntries(
    (site['siteConfig'].appSettings as { name: string; value: string }[]).map(({ name, value }) => [name, value]),
  )

it('makes what a token service needs, and nothing that outlives a destroy', async () => {
  const { made } = await deploy()
  const types = made.map(({ type }) => type).filter((type) => type.startsWith('azure-native:'))
  expect(types.toSorted()).toEqual([
    'azure-native:authorization:RoleAssignment',
    'azure-native:communication:CommunicationService',
    'azure-native:managedidentity:UserAssignedIdentity',
    'azure-native:resources:ResourceGroup',
    'azure-native:storage:StorageAccount',
    'azure-native:storage:Table',
    'azure-native:web:AppServicePlan',
    'azure-native:web:WebApp',
  ])
})

it('makes a communication service that is global, and gives the site its connection strings', async () => {
  const { one, outputs } = await deploy({ dataLocation: 'Europe' })
  expect(one('communication:CommunicationService')).toMatchObject({
    location: 'global',
    dataLocation: 'Europe',
    disableLocalAuth: false,
  })
  const site = one('web:WebApp')
  expect(settingsOf(site)).toEqual({
    SIGN_IN_ISSUERS: JSON.stringify(issuers),
    COMMUNICATION_SERVICES_CONNECTION_STRING: 'endpoint=https://calls;accesskey=key-1',
    COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: 'endpoint=https://calls;accesskey=key-2',
    COMMUNICATION_SERVICES_RESOURCE_ID: 'immutable',
    AZURE_CLIENT_ID: 'client',
    IDENTITY_STORE_ENDPOINT: 'https://map.table.core.windows.net/',
    IDENTITY_STORE_TABLE: 'identities-made',
    TRUSTED_PROXIES: '1',
  })
  expect(site['siteConfig']).toMatchObject({
    alwaysOn: true,
    ftpsState: 'Disabled',
    healthCheckPath: '/healthz',
    linuxFxVersion: 'NODE|24-lts',
  })
  expect(site['httpsOnly']).toBe(true)
  const secrets = Object.entries(outputs)
    .filter(([, { isSecret }]) => isSecret)
    .map(([name]) => name)
  expect(secrets.toSorted()).toEqual(['connectionString', 'primaryKey', 'secondaryConnectionString', 'secondaryKey'])
  expect(outputs['communicationEndpoint']!.value).toBe('https://calls.communication.azure.com/')
  expect(outputs['tokenServiceUrl']!.value).toBe('https://site.azurewebsites.net')
})

it('keyless: no key in a setting, none asked for, and a role in its place', async () => {
  const { one, made, calls, outputs } = await deploy({ keyless: true })
  expect(calls).not.toContain('azure-native:communication:listCommunicationServiceKeys')
  expect(Object.entries(outputs).filter(([name]) => /key|connectionString/i.test(name))).toEqual([])
  expect(one('communication:CommunicationService')['disableLocalAuth']).toBe(true)
  const site = settingsOf(one('web:WebApp'))
  expect(site['COMMUNICATION_SERVICES_ENDPOINT']).toBe('https://calls.communication.azure.com/')
  expect(JSON.stringify(site)).not.toContain('key-')
  const assignments = made.filter(({ type }) => type === 'azure-native:authorization:RoleAssignment')
  expect(assignments.map(({ inputs }) => inputs['principalType'])).toEqual(['ServicePrincipal', 'ServicePrincipal'])
  // In whatever order the engine hears of them.
  const given = assignments.map(({ inputs }) => (inputs['roleDefinitionId'] as string).split('/').at(-1))
  expect(new Set(given)).toEqual(
    new Set([roles['Storage Table Data Contributor'], roles['Communication and Email Service Owner']]),
  )
})

it('keeps keys off the store of identities', async () => {
  const { one } = await deploy()
  expect(one('storage:StorageAccount')).toMatchObject({
    allowSharedKeyAccess: false,
    allowBlobPublicAccess: false,
    minimumTlsVersion: 'TLS1_2',
  })
})

it('names a package by its content', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'infra-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const packagePath = join(folder, 'a.zip')
  writeFileSync(packagePath, 'content')
  const { made } = await deploy()
  const { PackageStore } = await import('../package-store.ts')
  const store = new PackageStore('pkg', { resourceGroupName: 'group', tags: {}, packagePath })
  const url = await new Promise((resolve) => store.packageUrl.apply(resolve))
  const digest = createHash('sha256').update('content').digest('hex').slice(0, 16)
  expect(made.find(({ type }) => type === 'azure-native:storage:Blob')!.inputs['blobName']).toBe(
    `token-service-${digest}.zip`,
  )
  expect(url).toMatch(/^https:\/\/pkg\.blob.*\.zip$|package-made$/)
})

it('decides on every setting of the service', async () => {
  await deploy()
  const { serviceSettings } = await import('../app-settings.ts')
  const decided = serviceSettings({
    config: { keyless: false, issuers, allowedOrigins: [] },
    communication: {},
    store: {},
    identity: {},
  } as never)
  expect(Object.keys(decided).toSorted()).toEqual(Object.keys(settings).toSorted())
  const { SIGN_IN_ISSUERS: _, ...others } = decided
  // @ts-expect-error -- one that is forgotten does not compile
  const forgetful: ServiceSettings = others
  expect(forgetful).not.toHaveProperty('SIGN_IN_ISSUERS')
})

import { readdirSync } from 'node:fs'
import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { buildArtifact } from 'fastify-communication-tokens/build'
import { BlobServiceClient } from '@azure/storage-blob'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { startOnAppService } from '../src/app-service.ts'

const group = '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g'
const identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/site`
const open = new AsyncDisposableStack()
let emulator: Emulator
let blobs: Azurite
let folder: TemporaryFolder

beforeAll(async () => {
  emulator = open.use(await startEmulator())
  blobs = open.use(await Azurite.start({ service: 'blob', tls: emulator.tlsFiles, oauth: true }))
  const built = open.use(new TemporaryFolder())
  await buildArtifact(built.join('package'))
  const container = BlobServiceClient.fromConnectionString(blobs.connectionString).getContainerClient('packages')
  await container.create()
  await container.getBlockBlobClient('a.zip').uploadFile(built.join('package.zip'))
  await put('', '2024-03-01', {})
})
afterAll(() => open.disposeAsync())
beforeEach(() => void (folder = new TemporaryFolder()))
afterEach(() => folder[Symbol.dispose]())

async function put(path: string, apiVersion: string, body: object): Promise<void> {
  const { accessToken } = await emulator.entra.signIn({ user: 'a', audience: 'https://management.azure.com' })
  const response = await fetch(new URL(`${group}${path}?api-version=${apiVersion}`, emulator.endpoint), {
    method: 'PUT',
    headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ location: 'westeurope', ...body }),
  })
  expect(response.ok).toBe(true)
}

interface SiteOptions {
  readonly identities?: readonly string[]
  /** Settings in addition to those of a site that starts; undefined removes one. */
  readonly settings?: Readonly<Record<string, string | undefined>>
}

/** Provisions a site and starts it. */
async function start({ identities = [identity], settings }: SiteOptions = {}) {
  const issuers = [{ issuer: emulator.entra.issuer, audience: 'api://acs-kit' }]
  const all = {
    SIGN_IN_ISSUERS: JSON.stringify(issuers),
    COMMUNICATION_SERVICES_CONNECTION_STRING: emulator.connectionString,
    WEBSITE_RUN_FROM_PACKAGE: `${blobs.endpoint}/packages/a.zip`,
    WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: identity,
    ...settings,
  }
  const appSettings = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]))
  await put('/providers/Microsoft.Web/sites/site', '2025-05-01', {
    identity: {
      type: 'UserAssigned',
      userAssignedIdentities: Object.fromEntries(identities.map((id) => [id, {}])),
    },
    properties: { siteConfig: { linuxFxVersion: 'NODE|24-lts', appCommandLine: 'node server.js', appSettings } },
  })
  return startOnAppService(emulator, { folder, hasPackage: true, settings: { PORT: '0' } })
}

it('starts the package with the recorded app settings only, whatever the environment contains', async () => {
  vi.stubEnv('IDENTITY_STORE_ENDPOINT', 'https://127.0.0.1:1/devstoreaccount1')
  await expect(start()).rejects.toThrow(/IDENTITY_STORE_ENDPOINT is missing/)
  vi.unstubAllEnvs()
})

it('keeps compiled code with the package, whose path differs in each run', async () => {
  await expect(start({ settings: { SIGN_IN_ISSUERS: undefined } })).rejects.toThrow(/SIGN_IN_ISSUERS is missing/)
  expect(readdirSync(folder.path)).toEqual([expect.stringMatching(/^token-service-\d+$/), 'wwwroot'])
})

it('names the reason why it cannot sign in for the package', async () => {
  emulator.faults.add({ operation: 'managedIdentityToken', status: 400, count: 1 })
  await expect(start()).rejects.toThrow(
    /^the site cannot mount its package: the managed identity responded with 400: check the blob/,
  )
})

it.each<[string, () => SiteOptions, RegExp]>([
  [
    'a missing blob',
    () => ({ settings: { WEBSITE_RUN_FROM_PACKAGE: `${blobs.endpoint}/packages/b.zip` } }),
    /^the site cannot mount its package: https:\S+\/packages\/b\.zip responded with 404 BlobNotFound: check the blob/,
  ],
  [
    'an account that rejects the token',
    () => ({ settings: { WEBSITE_RUN_FROM_PACKAGE: `${blobs.endpoint}x/packages/a.zip` } }),
    /^the site cannot mount its package: \S+ responded with 40[34] /,
  ],
  [
    'a service that does not respond',
    () => ({ settings: { WEBSITE_RUN_FROM_PACKAGE: 'https://127.0.0.1:1/packages/a.zip' } }),
    /^the site cannot mount its package: no response from https:\/\/127\.0\.0\.1:1\/packages\/a\.zip: check the blob/,
  ],
  [
    'an identity that the site does not have',
    () => ({ identities: [`${identity}-other`] }),
    /^the site cannot mount its package: \S+_MI_RESOURCE_ID is "\S+\/site", which is not an identity of the site: /,
  ],
  [
    'no package',
    () => ({ settings: { WEBSITE_RUN_FROM_PACKAGE: undefined } }),
    /^the site has no package: WEBSITE_RUN_FROM_PACKAGE is missing, set deployPackage to true$/,
  ],
])('names the reason why it cannot mount %s', async (_name, options, reason) => {
  await expect(start(options())).rejects.toThrow(reason)
})

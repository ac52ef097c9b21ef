// The requests of Pulumi's provider azure-native, which is a Go program: what it and its libraries (azcore, MSAL) require of the
// responses. The provider itself cannot be downloaded from a package registry.
import { decodeJwt } from 'jose'
import { beforeEach, expect, it } from 'vitest'
import { sendToArm, subscription } from './arm-fixture.ts'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()
const group = `/subscriptions/${subscription}/resourceGroups/group`
const web = `${group}/providers/Microsoft.Web`
const storage = `${group}/providers/Microsoft.Storage/storageAccounts/mappings`
const service = `${group}/providers/Microsoft.Communication/communicationServices/calls`

const send = (method: string, path: string, body?: object) =>
  sendToArm(fixture.emulator, method, path, body && { body })

beforeEach(async () => {
  await send('PUT', `${group}?api-version=2024-03-01`, { location: 'westeurope' })
})

it('signs in as MSAL for Go does: from the metadata of the cloud to a token with an object id', async () => {
  const { metadataHost, tenantId, clientId, clientSecret } = fixture.emulator.resourceManager.servicePrincipal
  const read = async (url: string) => (await (await fetch(url)).json()) as Record<string, unknown>
  const cloud = await read(`${metadataHost}/metadata/endpoints?api-version=2022-09-01`)
  const { loginEndpoint, audiences } = cloud['authentication']! as { loginEndpoint: string; audiences: string[] }
  // azcore sends tokens only over HTTPS, and azidentity accepts only such an authority.
  for (const url of [cloud['resourceManager']!, loginEndpoint, cloud['microsoftGraphResourceId']!])
    expect(url).toMatch(/^https:/)
  expect(cloud).toMatchObject({
    name: expect.any(String),
    suffixes: { storage: expect.any(String), keyVaultDns: expect.any(String) },
  })
  const configuration = await read(`${loginEndpoint}/${tenantId.toLowerCase()}/v2.0/.well-known/openid-configuration`)
  // MSAL compares the scheme and the host.
  expect(configuration['issuer']).toBe(`${loginEndpoint}/${tenantId}/v2.0`)
  expect(configuration['authorization_endpoint']).toMatch(/^https:/)
  const response = await fetch(configuration['token_endpoint'] as string, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: clientId,
      client_info: '1',
      client_secret: clientSecret,
      grant_type: 'client_credentials',
      scope: `${audiences[0]}/.default openid offline_access profile`,
    }),
  })
  const token = (await response.json()) as { token_type: string; expires_in: number; access_token: string }
  expect(token).toMatchObject({ token_type: 'Bearer', expires_in: expect.any(Number) })
  // The provider decodes it for `getClientConfig`.
  expect(decodeJwt(token.access_token)).toMatchObject({
    oid: expect.stringMatching(/^[-\da-f]{36}$/),
    tid: tenantId,
    appid: clientId,
  })
  const authorized = await fetch(`${cloud['resourceManager'] as string}${group}?api-version=2024-03-01`, {
    headers: { Authorization: `Bearer ${token.access_token}` },
  })
  expect(authorized.status).toBe(200)
})

it('returns the location of a group at the api-version of its look-up', async () => {
  expect((await send('GET', `${group}?api-version=2020-10-01`)).json.location).toBe('westeurope')
})

it.each([
  [`${group}2`, '2024-03-01'],
  [service, '2026-03-18'],
  [storage, '2024-01-01'],
  [`${storage}/tableServices/default/tables/identities`, '2024-01-01'],
  [`${storage}/blobServices/default/containers/packages`, '2024-01-01'],
  [`${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id`, '2023-01-31'],
  [`${storage}/providers/Microsoft.Authorization/roleAssignments/${subscription}`, '2022-04-01'],
  [`${web}/serverfarms/plan`, '2025-05-01'],
  [`${web}/sites/site`, '2025-05-01'],
])('returns 404 with a code for the GET before a creation: %s', async (path, version) => {
  const { status, json } = await send('GET', `${path}?api-version=${version}`)
  expect([status, json.error]).toEqual([404, { code: expect.any(String), message: expect.any(String) }])
})

it('returns the configuration of a site, which its own GET lacks', async () => {
  const body = {
    location: 'westeurope',
    properties: { siteConfig: { alwaysOn: true, appSettings: [{ name: 'A', value: 'hush' }] } },
  }
  await send('PUT', `${web}/sites/site?api-version=2025-05-01`, body)
  expect((await send('GET', `${web}/sites/site?api-version=2025-05-01`)).json.properties).not.toHaveProperty(
    'siteConfig',
  )
  const { status, json } = await send('GET', `${web}/sites/site/config/web?api-version=2025-05-01`)
  expect([status, json.properties]).toEqual([200, { alwaysOn: true, appSettings: null }])
})

it('removes an identity with the PATCH of a whole body', async () => {
  const path = `${web}/sites/site?api-version=2025-05-01`
  const bodyWith = (ids: object) => ({
    location: 'westeurope',
    identity: { type: 'UserAssigned', userAssignedIdentities: ids },
    properties: { httpsOnly: true },
  })
  await send('PUT', path, bodyWith({ '/a': {}, '/b': {} }))
  expect((await send('PATCH', path, bodyWith({ '/a': {}, '/b': null }))).status).toBe(200)
  expect((await send('GET', path)).json.identity.userAssignedIdentities).toEqual({ '/a': {} })
})

it.each(['PUT', 'DELETE'])(
  'links the operation of a %s with an absolute address and a delay above zero',
  async (method) => {
    const path = `${service}?api-version=2026-03-18`
    const body = { location: 'global', properties: { dataLocation: 'Europe' } }
    if (method === 'DELETE') await send('PUT', path, body)
    const { headers } = await send(method, path, method === 'PUT' ? body : undefined)
    const link = headers.get('Azure-AsyncOperation')!
    expect(link.startsWith(`${fixture.emulator.endpoint}subscriptions/`)).toBe(true)
    // Without it, azcore waits for 10 seconds after a PUT, and for 30 after a DELETE.
    expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0)
    if (method === 'DELETE') expect(headers.get('Location')).toBe(link)
    const status = async () => (await send('GET', new URL(link).pathname + new URL(link).search)).json.status as string
    await expect.poll(status).toBe('Succeeded')
  },
)

it.each([
  ['PUT', `${web}/sites/s?api-version=2025-05-01`, { properties: 'x' }],
  ['PUT', `${web}/unknown/s?api-version=2025-05-01`, {}],
  ['PATCH', `${web}/sites/none?api-version=2025-05-01`, { identity: null }],
  ['POST', `${web}/sites/none/listKeys?api-version=2025-05-01`, {}],
  ['DELETE', `${web}/sites/none?api-version=2025-05-01`, undefined],
  ['GET', `${web}/sites/none/config/web?api-version=2025-05-01`, undefined],
])('does not respond with a status that azcore retries for minutes: %s %s', async (method, path, body) => {
  expect([408, 429, 500, 502, 503, 504]).not.toContain((await send(method, path, body)).status)
})

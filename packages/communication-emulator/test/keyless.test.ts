import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { CommunicationIdentityClient } from '@azure/communication-identity'
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { createEnvironment } from '../src/environment.ts'
import { wellKnownPublicClientId, wellKnownTenantId } from '../src/index.ts'
import { clientsFor, subscription } from './arm-fixture.ts'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()
const teamsAudience = 'https://auth.msft.communication.azure.com'

describe('access with a bearer token', () => {
  const call = (token: string) =>
    fixture.call({ target: '/identities?api-version=2023-10-01', headers: { authorization: `Bearer ${token}` } })

  it.each(['https://communication.azure.com', 'https://communication.azure.com/'])(
    'accepts the audience %s',
    async (audience) => {
      const { accessToken } = await fixture.emulator.entra.signIn({ user: 'alice', audience })
      expect((await call(accessToken)).status).toBe(201)
    },
  )

  it('rejects an invalid token with the reason', async () => {
    const { entra, clock } = fixture.emulator
    const other = (await entra.signIn({ user: 'alice' })).accessToken
    const short = (await entra.signIn({ user: 'alice', audience: 'https://communication.azure.com/' })).accessToken
    const reasons: Record<string, string> = {
      [other]: 'TokenAudience',
      [`${short}x`]: 'TokenSignature',
      x: 'TokenSignature',
    }
    for (const [token, code] of Object.entries(reasons)) {
      expect(await call(token)).toMatchObject({
        status: 401,
        json: { error: { code: 'Denied', innererror: { code } } },
      })
    }
    clock.advance(61 * 60_000)
    expect((await call(short)).json.error.innererror.code).toBe('TokenExpired')
  })

  it('issues tokens that outlive regenerated keys', async () => {
    const { accessToken } = await fixture.emulator.entra.signIn({
      user: 'a',
      audience: 'https://communication.azure.com/',
    })
    const { json } = await fixture.call({
      target: '/identities?api-version=2023-10-01',
      body: { createTokenWithScopes: ['chat'] },
      headers: { authorization: `Bearer ${accessToken}` },
    })
    fixture.emulator.resources[0]!.regenerateKey('primary')
    fixture.emulator.resources[0]!.regenerateKey('secondary')
    expect(fixture.emulator.introspect(json.accessToken.token).state).toBe('valid')
  })
})

it('serves the unmodified DefaultAzureCredential and identity SDK without a key', async () => {
  const { variables } = createEnvironment(fixture.emulator, {})
  const child = spawn(process.execPath, [join(import.meta.dirname, 'programs/keyless.mjs')], {
    env: { PATH: process.env['PATH'], ...variables, COMMUNICATION_SERVICES_CONNECTION_STRING: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  expect(stderr).toBe('')
  expect(decodeJwt(stdout)).toMatchObject({ acsScope: 'chat' })
  expect(fixture.emulator.identities()).toHaveLength(0)
})

it.each<[string, { name?: string; header?: string; query?: string }, number]>([
  ['without the header', { header: '' }, 401],
  ['with another header', { header: 'x' }, 401],
  ['with another secret', { name: 'secret', header: 'x', query: 'resource=x&api-version=2017-09-01' }, 401],
  ['with the header of another api-version', { query: 'resource=x&api-version=2017-09-01' }, 401],
  ['with an unknown api-version', { query: 'resource=x&api-version=2018-02-01' }, 400],
  ['without a resource', { query: 'api-version=2019-08-01' }, 400],
])(
  'rejects a managed-identity request %s',
  async (_name, { name = 'x-identity-header', header, query = 'resource=x&api-version=2019-08-01' }, status) => {
    const { endpoint, header: right } = fixture.emulator.entra.managedIdentity
    const response = await fetch(`${endpoint}?${query}`, { headers: { [name]: header ?? right } })
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ statusCode: status, message: expect.any(String) })
  },
)

it('serves the older api-version of managed identity, with secret, clientid and a formatted expiry', async () => {
  const { variables } = createEnvironment(fixture.emulator, {})
  const query = new URLSearchParams({ resource: 'api://acs-kit', clientid: 'c0ffee', 'api-version': '2017-09-01' })
  const response = await fetch(`${variables['MSI_ENDPOINT']}?${query.toString()}`, {
    headers: { secret: variables['MSI_SECRET']! },
  })
  expect(response.status).toBe(200)
  const body = (await response.json()) as Record<string, string>
  const { exp, appid } = decodeJwt(body['access_token']!)
  expect(appid).toBe('c0ffee')
  expect(body).toMatchObject({ token_type: 'Bearer', resource: 'api://acs-kit' })
  expect(body['expires_on']).toMatch(/^\d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d \+00:00$/)
  expect(Date.parse(body['expires_on']!)).toBe(exp! * 1000)
})

it('issues the token of a user-assigned identity for its client id or its resource id', async () => {
  const { groups } = clientsFor(fixture.emulator)
  await groups.resourceGroups.createOrUpdate('group', { location: 'westeurope' })
  const id = `/subscriptions/${subscription}/resourceGroups/group/providers/Microsoft.ManagedIdentity/userAssignedIdentities/Site`
  const identity = await groups.resources.beginCreateOrUpdateByIdAndWait(id, '2023-01-31', { location: 'westeurope' })
  const { clientId, principalId } = identity.properties as { clientId: string; principalId: string }
  const { endpoint, header } = fixture.emulator.entra.managedIdentity
  for (const [name, value] of [
    ['client_id', clientId],
    ['mi_res_id', id],
    ['mi_res_id', id.toLowerCase()],
  ]) {
    const query = new URLSearchParams({ resource: 'api://acs-kit', 'api-version': '2019-08-01', [name!]: value! })
    const response = await fetch(`${endpoint}?${query.toString()}`, { headers: { 'x-identity-header': header } })
    const body = (await response.json()) as { access_token: string; client_id: string }
    expect([body.client_id, decodeJwt(body.access_token)]).toMatchObject([clientId, { oid: principalId }])
  }
})

it('issues managed-identity tokens of version 1.0 for Azure Storage', async () => {
  const { endpoint, header } = fixture.emulator.entra.managedIdentity
  const claims = async (resource: string) => {
    const query = new URLSearchParams({ resource, 'api-version': '2019-08-01' })
    const response = await fetch(`${endpoint}?${query.toString()}`, { headers: { 'x-identity-header': header } })
    return decodeJwt(((await response.json()) as { access_token: string }).access_token)
  }
  expect(await claims('https://storage.azure.com')).toMatchObject({
    iss: `https://sts.windows.net/${wellKnownTenantId}/`,
    aud: 'https://storage.azure.com',
    ver: '1.0',
  })
  expect(await claims('https://communication.azure.com/')).toMatchObject({
    iss: fixture.emulator.entra.issuer,
    ver: '2.0',
  })
})

describe('the Teams exchange', () => {
  const signIn = (options = {}) =>
    fixture.emulator.entra.signIn({ user: 'alice', audience: teamsAudience, scopes: ['Teams.ManageCalls'], ...options })

  it('issues a token that expires with the Entra ID one', async () => {
    const client = new CommunicationIdentityClient(fixture.emulator.connectionString)
    const { accessToken, oid, expiresOn } = await signIn({ lifetimeMinutes: 73 })
    const issued = await client.getTokenForTeamsUser({
      teamsUserAadToken: accessToken,
      clientId: wellKnownPublicClientId,
      userObjectId: oid,
    })
    expect(issued.expiresOn).toEqual(expiresOn)
    expect(fixture.emulator.introspect(issued.token)).toMatchObject({
      state: 'valid',
      communicationUserId: `8:orgid:${oid}`,
    })
    // The Calling SDK recognizes a Teams user's token by its `tid`, which an identity's token lacks.
    expect(decodeJwt(issued.token)).toMatchObject({ tid: wellKnownTenantId, skypeid: `orgid:${oid}` })
    expect(decodeJwt((await client.createUserAndToken(['voip'])).token)).not.toHaveProperty('tid')
  })

  const call = async (body: Record<string, unknown>, version = '2022-10-01') =>
    fixture.call({ target: `/teamsUser/:exchangeAccessToken?api-version=${version}`, body })

  it('requires only the token before api-version 2022-06-01, and is missing in the first versions', async () => {
    const { accessToken } = await signIn()
    expect((await call({ token: accessToken }, '2021-10-31-preview')).status).toBe(200)
    for (const version of ['2021-03-07', '2021-11-01']) {
      expect((await call({ token: accessToken }, version)).json.error.code).toBe('UnsupportedApiVersion')
    }
  })

  it('ignores the case of ids, in the request and in the token', async () => {
    const clientId = wellKnownPublicClientId.toUpperCase()
    const { accessToken: token, oid: userId } = await signIn({ clientId })
    expect((await call({ token, appId: wellKnownPublicClientId, userId: userId.toUpperCase() })).status).toBe(200)
    expect((await call({ token, appId: clientId, userId })).status).toBe(200)
  })

  it('lists its api-versions recorded in October 2023, and later ones', async () => {
    const { accessToken: token, oid: userId } = await signIn()
    const response = await call({ token, appId: wellKnownPublicClientId, userId })
    expect(response.headers['api-supported-versions']).toBe(
      '2021-10-31-preview, 2022-06-01, 2022-10-01, 2023-10-01, 2025-03-02-preview, 2025-06-30, 2026-09-23',
    )
  })

  it('rejects invalid requests with the recorded errors, in the recorded order', async () => {
    const { accessToken: token, oid: userId } = await signIn()
    const { accessToken: ours } = await signIn({ audience: 'api://acs-kit' })
    const { accessToken: unpermitted } = await signIn({ scopes: ['other'] })
    const appId = wellKnownPublicClientId
    const guid = '00000000-0000-0000-0000-000000000000'
    const invalid = 'Provided access token is not valid.'
    const cases: [object, string, string | undefined, boolean][] = [
      [{ token: '', appId: '', userId: '' }, invalid, undefined, false],
      [{ token: 'x', appId, userId: '' }, invalid, undefined, false],
      [{ token: ours, appId, userId }, invalid, undefined, false],
      [{ token: unpermitted, appId, userId }, invalid, undefined, false],
      [{ token, appId: '', userId }, 'AppId: The AppId field is required.', 'AppId', false],
      [{ token, appId, userId: '' }, 'UserId: The UserId field is required.', 'UserId', false],
      [{ token, appId: 'x', userId }, 'Provided AppId has invalid format.', 'appId', true],
      [{ token, appId, userId: 'x' }, 'Provided UserId has invalid format.', 'userId', true],
      [{ token, appId: guid, userId }, 'AAD application is not the expected one.', 'appId', true],
      [{ token, appId, userId: guid }, 'Provided AAD token issued for unexpected user.', 'userId', true],
    ]
    for (const [body, message, target, hasVersions] of cases) {
      const response = await call({ ...body })
      expect(response).toMatchObject({ status: target === undefined ? 401 : 400, json: { error: { message } } })
      expect(response.json.error.code).toBe(target === undefined ? 'InvalidAccessToken' : 'ValidationError')
      expect(response.json.error.target).toBe(target)
      expect(response.headers['api-supported-versions'] !== undefined).toBe(hasVersions)
    }
  })
})

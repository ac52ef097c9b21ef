import { wellKnownPublicClientId, wellKnownTenantId } from '@acs-kit/communication-emulator'
import { AzureCommunicationTokenCredential } from '@azure/communication-common'
import { decodeJwt } from 'jose'
import { expect, it } from 'vitest'
import { outage, ServiceFixture, type CallOptions } from './service-fixture.ts'

const extensionAudience = 'https://auth.msft.communication.azure.com'
const objectId = '0b9f4f4e-7a1c-4d6f-9b51-3c2f7e6f0a11'
const clientIds = ['5e0b5e3c-94a5-4a4f-8f3b-6a3f4f6f2c22', wellKnownPublicClientId]
const claims = { sub: 'admin', roles: ['admin'] }

/** Starts a service with `TEAMS_EXTENSION`. `send` sends a request as an administrator. */
async function startFixture(env: Record<string, string> = {}) {
  const extension = { tenantId: wellKnownTenantId, clientIds }
  const fixture = await ServiceFixture.start({ env: { TEAMS_EXTENSION: JSON.stringify(extension), ...env } })
  const send = (method: string, id = objectId, options: CallOptions = {}) =>
    fixture.call(`${method} /v1/teams/assignments/${id}`, { claims, ...options })
  return { fixture, send, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() }
}

it('creates, returns, replaces and deletes an assignment in the configured tenant', async () => {
  await using parts = await startFixture()
  const { send, fixture } = parts
  const unknown = { status: 404, body: { code: 'assignment-unknown' } }
  const user = { tenantId: wellKnownTenantId, objectId, principalType: 'user', clientIds }
  const resourceAccount = { ...user, principalType: 'resourceAccount', clientIds: [] }

  expect(await send('GET')).toMatchObject(unknown)
  for (const body of [undefined, { principalType: 'user' }])
    expect(await send('PUT', objectId.toUpperCase(), { body })).toMatchObject({ status: 200, body: user })
  expect(fixture.emulator.assignments()).toMatchObject([{ ...user, kind: 'teamsExtension' }])
  expect((await send('GET')).body).toEqual(user)

  expect((await send('PUT', objectId, { body: { principalType: 'resourceAccount' } })).body).toEqual(resourceAccount)
  expect((await send('GET')).body).toEqual(resourceAccount)

  for (let round = 0; round < 2; round++) expect(await send('DELETE')).toMatchObject({ status: 204, body: {} })
  expect(await send('GET')).toMatchObject(unknown)
  expect(fixture.emulator.assignments()).toEqual([])
})

it("lets Azure's own credential exchange tokens, until the assignment is deleted", async () => {
  await using parts = await startFixture()
  const { send, fixture } = parts
  const { entra, endpoint } = fixture.emulator
  const scopes = ['TeamsExtension.ManageCalls']
  const { accessToken } = await entra.signIn({ user: 'alice', audience: extensionAudience, scopes })
  const { oid, exp } = decodeJwt<{ oid: string }>(accessToken)
  const exchange = async () => {
    const credential = new AzureCommunicationTokenCredential({
      resourceEndpoint: endpoint,
      tokenCredential: { getToken: async () => ({ token: accessToken, expiresOnTimestamp: exp! * 1000 }) },
      scopes: scopes.map((scope) => `${extensionAudience}/${scope}`),
    })
    return credential.getToken()
  }

  await expect(exchange()).rejects.toThrow('Status: 403')
  await send('PUT', oid)
  const { token, expiresOnTimestamp } = await exchange()
  expect(expiresOnTimestamp).toBe(exp! * 1000)
  expect(fixture.emulator.introspect(token)).toMatchObject({ state: 'valid' })
  await send('DELETE', oid)
  await expect(exchange()).rejects.toThrow('Status: 403')
})

it('logs each action with the keys of the administrator and the user, and without the object id', async () => {
  await using parts = await startFixture()
  const { fixture, send } = parts
  const { entra } = fixture.emulator
  const issuer = { issuer: entra.issuer, audience: 'api://acs-kit', kind: 'entra', required: 'access_as_user' }
  const service = await fixture.addInstance({ SIGN_IN_ISSUERS: JSON.stringify([{ ...issuer, admin: 'admin' }]) })
  const signIn = async (user: string, ...roles: string[]) => (await entra.signIn({ user, roles })).accessToken
  const alice = await signIn('alice')
  const options = { service, token: await signIn('admin', 'admin') }
  for (const token of [alice, options.token]) await fixture.call('POST /v1/token', { service, token })
  const [userKey, by] = fixture.lines({ audit: 'issue' }).map((line) => line['userKey'])

  const { oid } = decodeJwt<{ oid: string }>(alice)
  for (const method of ['PUT', 'GET', 'DELETE', 'GET']) await send(method, oid, options)
  const audits = fixture.lines({ by, userKey }).map(({ audit, principalType }) => [audit, principalType])
  expect(audits).toEqual([
    ['assign', 'user'],
    ['read', undefined],
    ['unassign', undefined],
  ])
  expect(fixture.logged).not.toContain(oid)
})

it.each<[string, string, object]>([
  ['an object id that is not a GUID', 'alice', {}],
  ['an application', objectId, { clientIds: [wellKnownPublicClientId] }],
  ['a tenant', objectId, { tenantId: objectId }],
  ['an unknown principal type', objectId, { principalType: 'group' }],
])('rejects %s', async (_name, id, body) => {
  await using parts = await startFixture()
  expect(await parts.send('PUT', id, { body })).toMatchObject({ status: 400, body: { code: 'request-invalid' } })
  expect(parts.fixture.emulator.assignments()).toEqual([])
})

it.each(['GET', 'PUT', 'DELETE'])('rejects %s of users who are not administrators', async (method) => {
  await using parts = await startFixture()
  expect(await parts.send(method, objectId, { claims: {} })).toMatchObject({
    status: 403,
    body: { code: 'permission-missing' },
  })
  expect(await parts.send(method, objectId, { token: null })).toMatchObject({ status: 401 })
})

it.each(['GET', 'PUT', 'DELETE'])('responds to %s with 501 without TEAMS_EXTENSION', async (method) => {
  await using parts = await startFixture({ TEAMS_EXTENSION: '' })
  expect(await parts.send(method)).toMatchObject({
    status: 501,
    body: { code: 'teams-unavailable', detail: expect.stringContaining('TEAMS_EXTENSION') },
  })
})

it.each([
  [400, 400, 'request-invalid', /^Azure Communication Services: the service rejected the request \(400/],
  [403, 400, 'request-invalid', /^Azure Communication Services: the service rejected the request \(403/],
  [429, 503, 'communication-throttled', undefined],
  [500, 503, 'communication-unavailable', undefined],
])('converts the status %i of Azure to %i', async (status, expected, code, detail) => {
  await using parts = await startFixture()
  const { fixture, send } = parts
  fixture.emulator.faults.add({ ...outage, status })
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const response = await send(method)
    expect(response).toMatchObject({ status: expected, body: { code } })
    if (detail) expect(response.body.detail).toMatch(detail)
  }
  fixture.emulator.faults.clear()
  // The access key is not considered rejected.
  expect(await fixture.call('POST /v1/token')).toMatchObject({ status: 200 })
})

it('uses the other access key when one is rejected', async () => {
  await using parts = await startFixture()
  const { fixture, send } = parts
  const wrongKey = Buffer.alloc(64).toString('base64')
  const { connectionString } = fixture.emulator
  const service = await fixture.addInstance({
    COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString.replace(/accesskey=.*/, `accesskey=${wrongKey}`),
    COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: connectionString,
  })
  expect(await send('PUT', objectId, { service })).toMatchObject({ status: 200 })
})

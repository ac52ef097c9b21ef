import { describe, expect, it } from 'vitest'
import { wellKnownPublicClientId, wellKnownTenantId } from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'
import { send } from './signed-request.ts'

const fixture = useEmulator({ resources: [{ name: 'contoso' }] })
const strict = useEmulator({ strict: true })

const objectId = 'aaaaaaaa-0000-4000-8000-00000000000a'
const clientIds = [wellKnownPublicClientId]
const version = 'api-version=2025-06-30'
const extensionPath = (tenantId = wellKnownTenantId, object = objectId) =>
  `/access/teamsExtension/tenants/${tenantId}/assignments/${object}`
const extension = (method: string, body?: unknown, path = extensionPath()) =>
  fixture.call({ method, target: `${path}?${version}`, body })

const entraVersion = 'api-version=2025-03-02-preview'
const entraPath = '/access/entra/assignments'
const entra = (method: string, body?: unknown, path = `${entraPath}/${objectId}`) =>
  fixture.call({ method, target: `${path}?${entraVersion}`, body })
const patchEntra = (body: unknown) =>
  fixture.call({
    method: 'PATCH',
    target: `${entraPath}?${entraVersion}`,
    body,
    headers: { 'content-type': 'application/merge-patch+json' },
  })

describe.each(['2025-03-02-preview', '2025-06-30', '2026-07-22', '2026-09-23'])(
  'assignments of the Teams extension, %s',
  (apiVersion) => {
    it('creates, returns, replaces and deletes an assignment', async () => {
      const target = `${extensionPath()}?api-version=${apiVersion}`
      const body = { principalType: 'user', clientIds }
      const assignment = { objectId, tenantId: wellKnownTenantId, principalType: 'user', clientIds }
      const created = await fixture.call({ method: 'PUT', target, body })
      expect([created.status, created.text]).toEqual([201, JSON.stringify(assignment)])
      expect(created.headers['api-supported-versions']).toBe('2025-03-02-preview, 2025-06-30, 2026-09-23')
      expect(await fixture.call({ method: 'PUT', target, body })).toMatchObject({ status: 200, json: assignment })
      expect(await fixture.call({ method: 'GET', target })).toMatchObject({ status: 200, json: assignment })
      expect(fixture.emulator.assignments()).toEqual([{ resource: 'default', kind: 'teamsExtension', ...assignment }])
      expect(await fixture.call({ method: 'DELETE', target })).toMatchObject({ status: 204, text: '' })
      expect(await fixture.call({ method: 'GET', target })).toMatchObject({
        status: 404,
        json: { error: { code: 'NotFound' } },
      })
      expect((await fixture.call({ method: 'DELETE', target })).status).toBe(204)
    })
  },
)

describe('assignments of the Teams extension', () => {
  it.each(['2023-10-01', '2025-04-01-preview'])('rejects api-version %s', async (apiVersion) => {
    const target = `${extensionPath()}?api-version=${apiVersion}`
    expect((await fixture.call({ method: 'GET', target })).json.error.code).toBe('UnsupportedApiVersion')
  })

  it.each([
    ['user', 'user'],
    ['User', 'user'],
    ['resourceAccount', 'resourceAccount'],
    ['RESOURCEACCOUNT', 'resourceAccount'],
    ['teamsResourceAccount', 'resourceAccount'],
    ['TeamsResourceAccount', 'resourceAccount'],
  ])('accepts the principal type %s', async (principalType, stored) => {
    const { status, json } = await extension('PUT', { principalType })
    expect(status).toBe(201)
    expect(json).toEqual({ objectId, tenantId: wellKnownTenantId, principalType: stored })
  })

  it("accepts the requests of Microsoft's server sample, which signs `date` and repeats the api-version as a header", async () => {
    const target = `${extensionPath()}?${version}`
    const sign = { names: ['date', 'host', 'x-ms-content-sha256'] }
    const headers = { 'api-version': '2025-06-30' }
    const body = { principalType: 'User', clientIds }
    const call = (method: string, options = {}) => fixture.call({ method, target, headers, sign, ...options })
    expect((await call('PUT', { body })).status).toBe(201)
    expect((await call('DELETE')).status).toBe(204)
  })

  it('accepts an Entra ID token for the resource', async () => {
    const audience = 'https://communication.azure.com/'
    const { accessToken } = await fixture.emulator.entra.signIn({ user: 'admin', audience })
    const headers = { authorization: `Bearer ${accessToken}` }
    const request = { method: 'PUT', target: `${extensionPath()}?${version}`, body: { principalType: 'user' } }
    expect((await fixture.call({ ...request, headers })).status).toBe(201)
    const other = await fixture.emulator.entra.signIn({ user: 'admin' })
    const rejected = { ...request, headers: { authorization: `Bearer ${other.accessToken}` } }
    expect((await fixture.call(rejected)).json.error.innererror.code).toBe('TokenAudience')
  })

  it.each([
    [{}, 'PrincipalType: The PrincipalType field is required.', 'PrincipalType'],
    [undefined, 'PrincipalType: The PrincipalType field is required.', 'PrincipalType'],
    [{ principalType: 1 }, 'PrincipalType: The value could not be converted.', 'PrincipalType'],
    [{ principalType: 'group' }, 'Provided PrincipalType is not supported.', 'principalType'],
    [{ principalType: 'constructor' }, 'Provided PrincipalType is not supported.', 'principalType'],
    [{ principalType: 'user', clientIds: 'x' }, 'ClientIds: The value could not be converted.', 'ClientIds'],
    [{ principalType: 'user', clientIds: ['x'] }, 'Provided ClientIds has invalid format.', 'clientIds'],
  ])('rejects the body %j', async (body, message, target) => {
    expect(await extension('PUT', body)).toMatchObject({
      status: 400,
      json: { error: { code: 'ValidationError', message, target } },
    })
    expect(fixture.emulator.assignments()).toEqual([])
  })

  it('rejects ids that are not GUIDs, and ignores the case of GUIDs', async () => {
    for (const [path, message] of [
      [extensionPath('contoso'), 'Provided TenantId has invalid format.'],
      [extensionPath(wellKnownTenantId, 'alice'), 'Provided ObjectId has invalid format.'],
    ] as const) {
      expect(await extension('GET', undefined, path)).toMatchObject({ status: 400, json: { error: { message } } })
    }
    await extension('PUT', { principalType: 'user', clientIds: [wellKnownPublicClientId.toUpperCase()] })
    const got = await extension(
      'GET',
      undefined,
      extensionPath(wellKnownTenantId.toUpperCase(), objectId.toUpperCase()),
    )
    expect(got).toMatchObject({ status: 200, json: { objectId, clientIds } })
  })

  it('rejects unknown members when strict', async () => {
    const body = { principalType: 'user', tenantId: wellKnownTenantId }
    const response = await strict.call({ method: 'PUT', target: `${extensionPath()}?${version}`, body })
    expect(response).toMatchObject({ status: 400, json: { error: { target: 'TenantId' } } })
  })

  it('keeps the assignments of tenants and resources apart', async () => {
    const otherTenant = 'bbbbbbbb-0000-4000-8000-00000000000b'
    await extension('PUT', { principalType: 'user' })
    await extension('PUT', { principalType: 'resourceAccount' }, extensionPath(otherTenant))
    expect((await extension('GET')).json.principalType).toBe('user')
    const { endpoint, accessKey } = fixture.emulator.resources[1]!
    const target = `${extensionPath()}?${version}`
    expect((await send(endpoint, { accessKey, method: 'GET', target })).status).toBe(404)
    await extension('DELETE')
    expect(fixture.emulator.assignments()).toMatchObject([{ tenantId: otherTenant }])
  })
})

describe('assignments of Entra ID users', () => {
  const value = { tenantId: wellKnownTenantId, principalType: 'user', clientIds }
  const assignment = { objectId, ...value }

  it('creates, returns, lists, replaces and deletes an assignment', async () => {
    const created = await entra('PUT', value)
    expect([created.status, created.json]).toEqual([201, assignment])
    expect(created.headers['api-supported-versions']).toBe('2025-03-02-preview')
    expect(await entra('PUT', { ...value, principalType: 'Group' })).toMatchObject({
      status: 200,
      json: { principalType: 'group' },
    })
    expect((await entra('GET')).json).toEqual({ ...assignment, principalType: 'group' })
    expect((await entra('GET', undefined, entraPath)).json).toEqual({
      value: [{ ...assignment, principalType: 'group' }],
    })
    expect((await entra('DELETE')).status).toBe(204)
    expect((await entra('GET')).status).toBe(404)
    expect((await entra('GET', undefined, entraPath)).json).toEqual({ value: [] })
  })

  it('identifies an assignment by its object id alone, and replaces the tenant', async () => {
    const otherTenant = 'bbbbbbbb-0000-4000-8000-00000000000b'
    await entra('PUT', value)
    expect((await entra('PUT', { ...value, tenantId: otherTenant })).status).toBe(200)
    expect(fixture.emulator.assignments()).toMatchObject([{ kind: 'entra', tenantId: otherTenant }])
  })

  it('applies all changes of a PATCH or none', async () => {
    const second = 'cccccccc-0000-4000-8000-00000000000c'
    const third = 'dddddddd-0000-4000-8000-00000000000d'
    await entra('PUT', value)
    const patched = await patchEntra({ [objectId]: null, [second]: { ...value, principalType: 'tenant' } })
    const listed = { value: [{ ...value, objectId: second, principalType: 'tenant' }] }
    expect([patched.status, patched.json]).toEqual([200, listed])
    expect((await patchEntra({ [third]: value, [second]: { principalType: 'x' } })).status).toBe(400)
    for (const invalid of ['text', [], 1]) expect((await patchEntra({ [second]: invalid })).status).toBe(400)
    expect((await entra('GET', undefined, entraPath)).json).toEqual(listed)
    const spellings = { [second]: value, [second.toUpperCase()]: { ...value, principalType: 'tenant' } }
    expect((await patchEntra(spellings)).json).toEqual(listed)
    expect(await patchEntra({ [second]: null })).toMatchObject({ status: 204, text: '' })
    expect(fixture.emulator.assignments()).toEqual([])
  })

  it.each(['tenantId', 'principalType', 'clientIds'])('requires %s', async (name) => {
    const label = `${name.charAt(0).toUpperCase()}${name.slice(1)}`
    expect(await entra('PUT', { ...value, [name]: null })).toMatchObject({
      status: 400,
      json: { error: { message: `${label}: The ${label} field is required.`, target: label } },
    })
  })

  it('rejects other api-versions', async () => {
    const target = `${entraPath}?${version}`
    expect((await fixture.call({ method: 'GET', target })).json.error.code).toBe('UnsupportedApiVersion')
  })
})

it.each([
  ['getTeamsExtensionAssignment', () => extension('GET')],
  ['putTeamsExtensionAssignment', () => extension('PUT', { principalType: 'user' })],
  ['deleteTeamsExtensionAssignment', () => extension('DELETE')],
  ['listEntraAssignments', () => entra('GET', undefined, entraPath)],
  ['updateEntraAssignments', () => patchEntra({})],
  ['getEntraAssignment', () => entra('GET')],
  ['putEntraAssignment', () => entra('PUT', { tenantId: wellKnownTenantId, principalType: 'user', clientIds })],
  ['deleteEntraAssignment', () => entra('DELETE')],
])('%s follows quotas and faults', async (operation, request) => {
  fixture.emulator.faults.add({ operation, status: 503, count: 1 })
  expect((await request()).status).toBe(503)
  fixture.emulator.quotas.set({ [operation]: 0 })
  expect((await request()).status).toBe(429)
  fixture.emulator.quotas.set(false)
  expect(fixture.emulator.assignments()).toEqual([])
})

it('keeps the assignments of the two kinds apart', async () => {
  await extension('PUT', { principalType: 'user', clientIds })
  expect((await entra('GET')).status).toBe(404)
  await entra('DELETE')
  expect((await extension('GET')).status).toBe(200)
})

it('deletes assignments when the emulator is reset', async () => {
  await extension('PUT', { principalType: 'user' })
  await fixture.emulator.reset()
  expect(fixture.emulator.assignments()).toEqual([])
})

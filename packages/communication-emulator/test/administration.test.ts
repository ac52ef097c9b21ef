import { describe, expect, it } from 'vitest'
import { credentialFor, subscription } from './arm-fixture.ts'
import { useEmulator } from './emulator-fixture.ts'
import { exchange, send } from './signed-request.ts'

const fixture = useEmulator({ resources: [{ name: 'contoso', dataLocation: 'Europe' }] })
const createTarget = '/identities?api-version=2023-10-01'

function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  return exchange(fixture.emulator.endpoint, {
    method,
    target: `/_emulator/${path}`,
    headers: { 'content-type': 'application/json', ...headers },
    payload: body === undefined ? '' : JSON.stringify(body),
  })
}

describe('over HTTP', () => {
  it('reports that the emulator is ready', async () => {
    expect(await call('GET', 'health')).toMatchObject({ status: 200, json: { status: 'ok' } })
    expect(await call('GET', 'ready')).toMatchObject({ status: 200, json: { status: 'ready' } })
  })

  it('lists resources without their keys', async () => {
    const { text, json } = await call('GET', 'resources')
    expect(json.map(({ name }: { name: string }) => name)).toEqual(['default', 'contoso'])
    for (const { accessKey } of fixture.emulator.resources) expect(text).not.toContain(accessKey)
  })

  it('pages identities, and lists and introspects tokens', async () => {
    const ids = [await fixture.createIdentity(), await fixture.createIdentity(), await fixture.createIdentity()]
    const token = await fixture.issueToken(ids[0]!)
    const list = async (query: string) =>
      (await call('GET', `identities${query}`)).json.map(
        (one: { communicationUserId: string }) => one.communicationUserId,
      )
    expect(await list('')).toEqual(ids)
    expect(await list('?limit=2')).toEqual(ids.slice(0, 2))
    expect(await list(`?after=${ids[1]}`)).toEqual(ids.slice(2))
    expect(await list('?newest=2')).toEqual(ids.slice(1))

    const listed = await call('GET', `tokens?communicationUserId=${ids[0]}`)
    expect(listed.json).toHaveLength(1)
    expect(listed.text).not.toContain(token)
    expect((await call('GET', 'tokens?reveal=true')).text).toContain(token)
    expect((await call('POST', 'introspect', { token })).json).toMatchObject({
      state: 'valid',
      communicationUserId: ids[0],
      scopes: ['chat'],
      resource: 'default',
      accessKey: 'primary',
    })
  })

  it('creates identities, once for each custom id and resource', async () => {
    const create = async (body: object) => (await call('POST', 'identities', body)).json.communicationUserId as string
    const alice = await create({ customId: 'alice' })
    expect(await create({ customId: 'alice' })).toBe(alice)
    expect(await create({ customId: 'alice', resource: 'contoso' })).not.toBe(alice)
    await create({})
    expect(fixture.emulator.identities()).toHaveLength(3)
    expect(await fixture.issueToken(alice)).toMatch(/^ey/)
    expect((await call('POST', 'identities', { resource: 'fabrikam' })).json.error.message).toBe(
      'unknown resource fabrikam: use one that `resources` lists',
    )
  })

  it('lists the newest tokens, oldest first', async () => {
    const id = await fixture.createIdentity()
    for (const scope of ['chat', 'voip', 'chat']) {
      await fixture.issueToken(id, [scope])
      fixture.emulator.clock.advance(1000)
    }
    const { json } = await call('GET', 'tokens?newest=2')
    expect(json.map(({ scopes }: { scopes: string[] }) => scopes)).toEqual([['voip'], ['chat']])
  })

  it('lists managed resources without their properties, with the endpoints of communication services', async () => {
    const { endpoint } = fixture.emulator
    const { token } = await credentialFor(endpoint).getToken(`${endpoint.slice(0, -1)}/.default`)
    const group = `/subscriptions/${subscription}/resourceGroups/group`
    const service = `${group}/providers/Microsoft.Communication/communicationServices/managed`
    const put = (target: string, body: object) =>
      exchange(endpoint, {
        method: 'PUT',
        target,
        headers: { authorization: `Bearer ${token}` },
        payload: JSON.stringify(body),
      })
    await put(`${group}?api-version=2024-03-01`, { location: 'westeurope' })
    await put(`${service}?api-version=2023-04-01`, { location: 'global', properties: { dataLocation: 'Europe' } })
    expect((await call('GET', 'managedResources')).json).toEqual([
      { id: group, type: 'Microsoft.Resources/resourceGroups', name: 'group', location: 'westeurope' },
      {
        id: service,
        type: 'Microsoft.Communication/communicationServices',
        name: 'managed',
        location: 'global',
        endpoint: fixture.emulator.resources.find(({ name }) => name === 'managed')!.endpoint,
      },
    ])
  })

  it('lists the operations that faults and quotas can name', async () => {
    const { json } = await call('GET', 'operations')
    expect(json.faults).toEqual(expect.arrayContaining(['createIdentity', 'entraToken', 'armPut']))
    expect(json.quotas).toEqual(expect.arrayContaining(['createIdentity', 'createIdentityWithToken']))
    expect(json.quotas).not.toContain('armPut')
  })

  it('lists assignments', async () => {
    const tenantId = 'bbbbbbbb-0000-4000-8000-00000000000b'
    const objectId = 'aaaaaaaa-0000-4000-8000-00000000000a'
    const target = `/access/teamsExtension/tenants/${tenantId}/assignments/${objectId}?api-version=2025-06-30`
    await fixture.call({ method: 'PUT', target, body: { principalType: 'user', clientIds: [] } })
    expect((await call('GET', 'assignments')).json).toEqual([
      { resource: 'default', kind: 'teamsExtension', objectId, tenantId, principalType: 'user', clientIds: [] },
    ])
  })

  it('moves the clock', async () => {
    expect((await call('PUT', 'clock', { time: '2030-01-01T00:00:00Z' })).json.now).toMatch(/^2030-01-01T00:00/)
    expect((await call('POST', 'clock/advance', { milliseconds: 86_400_000 })).json.now).toMatch(/^2030-01-02T00:00/)
    // Signatures still use the real time.
    expect(await fixture.call({ target: createTarget })).toMatchObject({ status: 201 })
    expect((await call('GET', 'identities')).json[0].createdAt).toMatch(/^2030-01-02T/)
  })

  it('regenerates keys', async () => {
    const { json } = await call('POST', 'resources/contoso/regenerateKey', { keyType: 'secondary' })
    expect(fixture.emulator.resources[1]!.secondaryConnectionString).toContain(json.key)
  })

  it('adds, lists and removes faults', async () => {
    const { status, json } = await call('POST', 'faults', { operation: 'createIdentity', status: 503, count: 2 })
    expect(status).toBe(201)
    expect(await fixture.call({ target: createTarget })).toMatchObject({ status: 503 })
    expect((await call('GET', 'faults')).json).toMatchObject([{ id: json.id, appliedCount: 1, status: 503 }])
    expect(await call('DELETE', `faults/${json.id}`)).toMatchObject({ status: 204 })
    expect(await fixture.call({ target: createTarget })).toMatchObject({ status: 201 })
    expect(await call('DELETE', `faults/${json.id}`)).toMatchObject({ status: 404 })
  })

  it('sets quotas', async () => {
    expect(await call('PUT', 'quotas', { createIdentity: 1 })).toMatchObject({
      status: 200,
      json: { createIdentity: 1 },
    })
    await fixture.call({ target: createTarget })
    expect(await fixture.call({ target: createTarget })).toMatchObject({ status: 429 })
    expect((await call('PUT', 'quotas', { documented: true })).json).toMatchObject({ deleteIdentity: 500 })
    expect((await call('PUT', 'quotas', {})).json).toEqual({})
  })

  it('keeps requests that repeated ones, such as health checks, would displace', async () => {
    const { emulator } = fixture
    await fixture.createIdentity()
    const check = () => fetch(`${emulator.endpoint}identities/x?api-version=2023-10-01`, { method: 'DELETE' })
    for (let sent = 0; sent < 2200; sent += 20) await Promise.all(Array.from({ length: 20 }, check))
    await fixture.createIdentity()
    const log = emulator.requests.list()
    expect(log).toHaveLength(1000)
    const identities = log.filter(({ operation }) => operation === 'createIdentity')
    expect(identities.map(({ id }) => id)).toEqual([log[0]!.id, log.at(-1)!.id])
    for (let sent = 0; sent < 1000; sent += 20)
      await Promise.all(Array.from({ length: 20 }, (_, index) => fetch(`${emulator.endpoint}other/${sent + index}`)))
    const paths = emulator.requests.list().map(({ path }) => path)
    expect(paths.filter((path) => path === '/identities/x')).toHaveLength(0)
    expect(paths).toHaveLength(1000)
  })

  it('logs requests', async () => {
    const id = await fixture.createIdentity()
    await fixture.call({ target: createTarget, accessKey: 'AAAA', headers: { 'x-ms-client-request-id': 'r1' } })
    await fixture.issueToken(id)
    const issueTarget = `/identities/${id}/:issueAccessToken?api-version=2023-10-01`
    await fixture.call({ target: issueTarget, body: { scopes: ['mail'] } })
    const { json, text } = await call('GET', 'requests')
    const [{ id: first }] = json
    expect(json.map((request: { id: number }) => request.id - first)).toEqual([0, 1, 2, 3])
    expect(json).toMatchObject([
      { operation: 'createIdentity', status: 201, communicationUserId: id, apiVersion: '2023-10-01' },
      { status: 401, errorCode: 'Denied', explanation: { code: 'SignatureMismatch' }, clientRequestId: 'r1' },
      { operation: 'issueAccessToken', status: 200, communicationUserId: id, resource: 'default' },
      { status: 400, errorCode: 'ValidationError', explanation: { message: expect.stringContaining("'mail'") } },
    ])
    expect(text).not.toContain('eyJ')
    expect(await call('DELETE', 'requests')).toMatchObject({ status: 204 })
    expect((await call('GET', 'requests')).json).toEqual([])
  })

  it('resets the emulator', async () => {
    const token = await fixture.issueToken(await fixture.createIdentity())
    await call('POST', 'faults', { status: 500 })
    await call('PUT', 'clock', { time: '2030-01-01T00:00:00Z' })
    expect(await call('POST', 'reset')).toMatchObject({ status: 204 })
    expect((await call('GET', 'identities')).json).toEqual([])
    expect((await call('GET', 'faults')).json).toEqual([])
    expect((await call('GET', 'clock')).json.offsetMilliseconds).toBe(0)
    expect((await call('POST', 'introspect', { token })).json).toMatchObject({ state: 'deleted' })
  })

  it.each([
    ['POST', 'faults', { operation: 'nonsense', status: 500 }, 'createIdentity'],
    ['POST', 'faults', { state: 500 }, 'latencyMs'],
    ['POST', 'faults', { status: '500' }, 'status must be a number'],
    ['POST', 'faults', { status: 99 }, '200 to 599'],
    ['POST', 'faults', { status: 500, rate: 2 }, 'rate'],
    ['POST', 'faults', { status: 500, phase: 'later' }, 'phase'],
    ['POST', 'faults', {}, 'a fault needs'],
    ['POST', 'faults', [], 'JSON object'],
    ['PUT', 'quotas', { createIdentities: 1 }, 'createIdentities'],
    ['PUT', 'quotas', { createIdentity: -1 }, 'createIdentity'],
    ['PUT', 'clock', { time: 'soon' }, 'ISO 8601'],
    ['PUT', 'clock', { time: '+020000-01-01T00:00:00Z' }, '9998'],
    ['POST', 'clock/advance', { milliseconds: 1e300 }, 'whole number'],
    ['POST', 'introspect', {}, 'token must be a string'],
    ['GET', 'identities?limit=1.5', undefined, 'limit must be a whole number'],
    ['POST', 'resources/default/regenerateKey', { keyType: 'third' }, 'keyType'],
  ])('rejects %s %s %j with the reason', async (method, path, body, words) => {
    const { status, json } = await call(method, path, body)
    expect(status).toBe(400)
    expect(json.error.message).toContain(words)
  })

  it.each(['nothing', 'resources/unknown/regenerateKey', 'clock/back'])('responds with 404 to %s', async (path) => {
    expect(await call('POST', path, { keyType: 'primary' })).toMatchObject({ status: 404 })
  })

  it('rejects pages of other sites, and accepts local pages', async () => {
    expect(await call('POST', 'reset', undefined, { origin: 'https://evil.example' })).toMatchObject({ status: 403 })
    expect(await call('GET', 'health', undefined, { host: 'evil.example:4380' })).toMatchObject({ status: 403 })
    const preflight = await call('OPTIONS', 'clock', undefined, { origin: 'http://localhost:5173' })
    expect(preflight.status).toBe(204)
    expect(preflight.headers['access-control-allow-origin']).toBe('http://localhost:5173')
  })
})

describe('faults', () => {
  const create = () => fixture.call({ target: createTarget })

  it('closes the connection before or after the operation', async () => {
    fixture.emulator.faults.add({ operation: 'createIdentity', reset: true, count: 1 })
    await expect(create()).rejects.toThrow(/socket hang up|ECONNRESET/)
    expect(fixture.emulator.identities()).toHaveLength(0)
    fixture.emulator.faults.add({ operation: 'createIdentity', reset: true, phase: 'after', count: 1 })
    await expect(create()).rejects.toThrow(/socket hang up|ECONNRESET/)
    expect(fixture.emulator.identities()).toHaveLength(1)
    expect(fixture.emulator.requests.list().map(({ status }) => status)).toEqual([undefined, undefined])
  })

  it('throttles with Retry-After', async () => {
    fixture.emulator.faults.add({ status: 429, retryAfterSeconds: 7 })
    const { status, headers } = await create()
    expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 429, retryAfter: '7' })
  })

  it('delays the unchanged response', async () => {
    fixture.emulator.faults.add({ latencyMs: 200, count: 1 })
    const start = performance.now()
    expect(await create()).toMatchObject({ status: 201 })
    expect(performance.now() - start).toBeGreaterThan(190)
  })

  it('ends a delay when its fault is removed', async () => {
    const id = fixture.emulator.faults.add({ latencyMs: 2 ** 31 - 1, count: 1 })
    const delayed = create()
    await expect.poll(() => fixture.emulator.faults.list()[0]!.appliedCount).toBe(1)
    expect(fixture.emulator.identities()).toHaveLength(0)
    fixture.emulator.faults.remove(id)
    expect(await delayed).toMatchObject({ status: 201 })
  })

  it('applies to the same share of requests with the same seed', async () => {
    const getStatuses = async (seed: number) => {
      fixture.emulator.faults.clear()
      fixture.emulator.faults.add({ status: 500, rate: 0.3, seed })
      const statuses: number[] = []
      for (let n = 0; n < 60; n++) statuses.push((await create()).status)
      return statuses
    }
    const first = await getStatuses(1)
    expect(await getStatuses(1)).toEqual(first)
    expect(await getStatuses(2)).not.toEqual(first)
    const share = first.filter((status) => status === 500).length / first.length
    expect(share).toBeGreaterThan(0.1)
    expect(share).toBeLessThan(0.5)
  })
})

describe('quotas', () => {
  it('limits calls per operation and resource in windows of the emulator clock', async () => {
    // One second after the start of a window.
    fixture.emulator.clock.set(new Date('2030-01-01T00:00:01Z'))
    fixture.emulator.quotas.set({ issueAccessToken: 2 })
    const id = await fixture.createIdentity()
    const issue = () =>
      fixture.call({ target: `/identities/${id}/:issueAccessToken?api-version=2023-10-01`, body: { scopes: ['chat'] } })
    expect([(await issue()).status, (await issue()).status]).toEqual([200, 200])
    const rejected = await issue()
    expect(rejected.status).toBe(429)
    expect(Number(rejected.headers['retry-after'])).toBeGreaterThan(0)
    expect(Number(rejected.headers['retry-after'])).toBeLessThanOrEqual(29)
    fixture.emulator.clock.advance(30_000)
    expect((await issue()).status).toBe(200)
    fixture.emulator.quotas.set(false)
  })
})

describe('an emulator with several resources', () => {
  it('has separate ports, keys, identities and data locations', async () => {
    const [main, contoso] = fixture.emulator.resources
    expect(main!.endpoint).not.toBe(contoso!.endpoint)
    expect(main!.accessKey).not.toBe(contoso!.accessKey)
    const id = await fixture.createIdentity()
    const target = `/identities/${id}/:issueAccessToken?api-version=2023-10-01`
    const foreignRequest = { target, body: { scopes: ['chat'] }, accessKey: contoso!.accessKey }
    expect(await send(contoso!.endpoint, foreignRequest)).toMatchObject({
      status: 401,
      json: { error: { code: 'IdentityNotOwned' } },
    })
    const { json } = await send(contoso!.endpoint, {
      target: createTarget,
      body: { createTokenWithScopes: ['chat'] },
      accessKey: contoso!.accessKey,
    })
    const claims = JSON.parse(Buffer.from(json.accessToken.token.split('.')[1], 'base64url').toString())
    expect(claims).toMatchObject({ resourceLocation: 'europe', resourceId: contoso!.immutableResourceId })
  })
})

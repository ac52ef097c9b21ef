import { describe, expect, it } from 'vitest'
import { useEmulator } from './emulator-fixture.ts'
import { exchange, send } from './signed-request.ts'

const fixture = useEmulator({ resources: [{ name: 'contoso', dataLocation: 'Europe' }] })
const createTarget = '/identities?api-version=2023-10-01'

function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  return exchange(fixture.emulator.endpoint, {
    method,
    target: `/_emulator/${path}`,
    headers: { 'content-type': 'application/json', ...headers },
    payload: body === undefined ? '' : JSON.stringify(body),
  })
}

describe('over HTTP', () => {
  it('tells that the emulator is ready', async () => {
    expect(await ask('GET', 'health')).toMatchObject({ status: 200, json: { status: 'ok' } })
    expect(await ask('GET', 'ready')).toMatchObject({ status: 200, json: { status: 'ready' } })
  })

  it('lists resources without their keys', async () => {
    const { text, json } = await ask('GET', 'resources')
    expect(json.map(({ name }: { name: string }) => name)).toEqual(['default', 'contoso'])
    for (const { accessKey } of fixture.emulator.resources) expect(text).not.toContain(accessKey)
  })

  it('pages identities, and lists and introspects tokens', async () => {
    const ids = [await fixture.createIdentity(), await fixture.createIdentity(), await fixture.createIdentity()]
    const token = await fixture.issueToken(ids[0]!)
    const list = async (query: string) =>
      (await ask('GET', `identities${query}`)).json.map(
        (one: { communicationUserId: string }) => one.communicationUserId,
      )
    expect(await list('')).toEqual(ids)
    expect(await list('?limit=2')).toEqual(ids.slice(0, 2))
    expect(await list(`?after=${ids[1]}`)).toEqual(ids.slice(2))

    const listed = await ask('GET', `tokens?communicationUserId=${ids[0]}`)
    expect(listed.json).toHaveLength(1)
    expect(listed.text).not.toContain(token)
    expect((await ask('GET', 'tokens?reveal=true')).text).toContain(token)
    expect((await ask('POST', 'introspect', { token })).json).toMatchObject({
      state: 'valid',
      communicationUserId: ids[0],
      scopes: ['chat'],
      resource: 'default',
      accessKey: 'primary',
    })
  })

  it('moves the clock', async () => {
    expect((await ask('PUT', 'clock', { time: '2030-01-01T00:00:00Z' })).json.now).toMatch(/^2030-01-01T00:00/)
    expect((await ask('POST', 'clock/advance', { milliseconds: 86_400_000 })).json.now).toMatch(/^2030-01-02T00:00/)
    // Requests are signed with the real time all the same.
    expect(await fixture.call({ target: createTarget })).toMatchObject({ status: 201 })
    expect((await ask('GET', 'identities')).json[0].createdAt).toMatch(/^2030-01-02T/)
  })

  it('regenerates keys', async () => {
    const { json } = await ask('POST', 'resources/contoso/regenerateKey', { keyType: 'secondary' })
    expect(fixture.emulator.resources[1]!.secondaryConnectionString).toContain(json.key)
  })

  it('arms, lists and disarms faults', async () => {
    const { status, json } = await ask('POST', 'faults', { operation: 'createIdentity', status: 503, count: 2 })
    expect(status).toBe(201)
    expect(await fixture.call({ target: createTarget })).toMatchObject({ status: 503 })
    expect((await ask('GET', 'faults')).json).toMatchObject([{ id: json.id, strikes: 1, status: 503 }])
    expect(await ask('DELETE', `faults/${json.id}`)).toMatchObject({ status: 204 })
    expect(await fixture.call({ target: createTarget })).toMatchObject({ status: 201 })
    expect(await ask('DELETE', `faults/${json.id}`)).toMatchObject({ status: 404 })
  })

  it('sets quotas', async () => {
    expect(await ask('PUT', 'quotas', { createIdentity: 1 })).toMatchObject({
      status: 200,
      json: { createIdentity: 1 },
    })
    await fixture.call({ target: createTarget })
    expect(await fixture.call({ target: createTarget })).toMatchObject({ status: 429 })
    expect((await ask('PUT', 'quotas', { documented: true })).json).toMatchObject({ deleteIdentity: 500 })
    expect((await ask('PUT', 'quotas', {})).json).toEqual({})
  })

  it('keeps a log of requests', async () => {
    const id = await fixture.createIdentity()
    await fixture.call({ target: createTarget, accessKey: 'AAAA', headers: { 'x-ms-client-request-id': 'r1' } })
    await fixture.issueToken(id)
    const { json, text } = await ask('GET', 'requests')
    expect(json).toMatchObject([
      { operation: 'createIdentity', status: 201, communicationUserId: id, apiVersion: '2023-10-01' },
      { status: 401, errorCode: 'Denied', explanation: { code: 'SignatureMismatch' }, clientRequestId: 'r1' },
      { operation: 'issueAccessToken', status: 200, communicationUserId: id, resource: 'default' },
    ])
    expect(text).not.toContain('eyJ')
    expect(await ask('DELETE', 'requests')).toMatchObject({ status: 204 })
    expect((await ask('GET', 'requests')).json).toEqual([])
  })

  it('resets', async () => {
    const token = await fixture.issueToken(await fixture.createIdentity())
    await ask('POST', 'faults', { status: 500 })
    await ask('PUT', 'clock', { time: '2030-01-01T00:00:00Z' })
    expect(await ask('POST', 'reset')).toMatchObject({ status: 204 })
    expect((await ask('GET', 'identities')).json).toEqual([])
    expect((await ask('GET', 'faults')).json).toEqual([])
    expect((await ask('GET', 'clock')).json.offsetMilliseconds).toBe(0)
    expect((await ask('POST', 'introspect', { token })).json).toMatchObject({ state: 'deleted' })
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
  ])('refuses %s %s %j and says why', async (method, path, body, words) => {
    const answer = await ask(method, path, body)
    expect(answer.status).toBe(400)
    expect(answer.json.error.message).toContain(words)
  })

  it.each(['nothing', 'resources/nobody/regenerateKey', 'clock/back'])('answers 404 for %s', async (path) => {
    expect(await ask('POST', path, { keyType: 'primary' })).toMatchObject({ status: 404 })
  })

  it('keeps pages of other sites out, and lets local ones in', async () => {
    expect(await ask('POST', 'reset', undefined, { origin: 'https://evil.example' })).toMatchObject({ status: 403 })
    expect(await ask('GET', 'health', undefined, { host: 'evil.example:4380' })).toMatchObject({ status: 403 })
    const preflight = await ask('OPTIONS', 'clock', undefined, { origin: 'http://localhost:5173' })
    expect(preflight.status).toBe(204)
    expect(preflight.headers['access-control-allow-origin']).toBe('http://localhost:5173')
  })
})

describe('faults', () => {
  const create = () => fixture.call({ target: createTarget })

  it('may cut the connection before the work is done, or after it', async () => {
    fixture.emulator.faults.add({ operation: 'createIdentity', reset: true, count: 1 })
    await expect(create()).rejects.toThrow(/socket hang up|ECONNRESET/)
    expect(fixture.emulator.identities()).toHaveLength(0)
    fixture.emulator.faults.add({ operation: 'createIdentity', reset: true, phase: 'after', count: 1 })
    await expect(create()).rejects.toThrow(/socket hang up|ECONNRESET/)
    expect(fixture.emulator.identities()).toHaveLength(1)
    expect(fixture.emulator.requests.list().map(({ status }) => status)).toEqual([undefined, undefined])
  })

  it('may throttle, with the delay to wait', async () => {
    fixture.emulator.faults.add({ status: 429, retryAfterSeconds: 7 })
    const { status, headers } = await create()
    expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 429, retryAfter: '7' })
  })

  it('may delay, and leave the rest as it is', async () => {
    fixture.emulator.faults.add({ latencyMs: 200, count: 1 })
    const start = performance.now()
    expect(await create()).toMatchObject({ status: 201 })
    expect(performance.now() - start).toBeGreaterThan(190)
  })

  it('may delay until the fault is removed', async () => {
    const id = fixture.emulator.faults.add({ latencyMs: 2 ** 31 - 1, count: 1 })
    const delayed = create()
    await expect.poll(() => fixture.emulator.faults.list()[0]!.strikes).toBe(1)
    expect(fixture.emulator.identities()).toHaveLength(0)
    fixture.emulator.faults.remove(id)
    expect(await delayed).toMatchObject({ status: 201 })
  })

  it('strike the same requests again under the same seed, and about their share', async () => {
    const strikes = async (seed: number) => {
      fixture.emulator.faults.clear()
      fixture.emulator.faults.add({ status: 500, rate: 0.3, seed })
      const statuses: number[] = []
      for (let n = 0; n < 60; n++) statuses.push((await create()).status)
      return statuses
    }
    const first = await strikes(1)
    expect(await strikes(1)).toEqual(first)
    expect(await strikes(2)).not.toEqual(first)
    const share = first.filter((status) => status === 500).length / first.length
    expect(share).toBeGreaterThan(0.1)
    expect(share).toBeLessThan(0.5)
  })
})

describe('quotas', () => {
  it('count by operation and resource, and end with the window of the clock', async () => {
    // Just after the start of a window of half a minute.
    fixture.emulator.clock.set(new Date('2030-01-01T00:00:01Z'))
    fixture.emulator.quotas.set({ issueAccessToken: 2 })
    const id = await fixture.createIdentity()
    const issue = () =>
      fixture.call({ target: `/identities/${id}/:issueAccessToken?api-version=2023-10-01`, body: { scopes: ['chat'] } })
    expect([(await issue()).status, (await issue()).status]).toEqual([200, 200])
    const refused = await issue()
    expect(refused.status).toBe(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(29)
    fixture.emulator.clock.advance(30_000)
    expect((await issue()).status).toBe(200)
    fixture.emulator.quotas.set(false)
  })
})

describe('several resources', () => {
  it('have their own ports, keys, identities and data locations', async () => {
    const [main, contoso] = fixture.emulator.resources
    expect(main!.endpoint).not.toBe(contoso!.endpoint)
    expect(main!.accessKey).not.toBe(contoso!.accessKey)
    const id = await fixture.createIdentity()
    const target = `/identities/${id}/:issueAccessToken?api-version=2023-10-01`
    const elsewhere = { target, body: { scopes: ['chat'] }, accessKey: contoso!.accessKey }
    expect(await send(contoso!.endpoint, elsewhere)).toMatchObject({
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

import { describe, expect, it } from 'vitest'
import { useEmulator } from './emulator-fixture.ts'
import { exchange, type WireResponse } from './signed-request.ts'

const fixture = useEmulator()
const strict = useEmulator({ strict: true })

const laterVersions = [
  '2021-02-22-preview1',
  '2021-03-07',
  '2021-03-31-preview1',
  '2021-10-31-preview',
  '2021-11-01',
  '2022-06-01',
  '2022-09-01',
  '2022-10-01',
  '2023-08-01',
  '2023-10-01',
  '2025-03-02-preview',
  '2025-04-01-preview',
  '2025-06-30',
  '2026-07-22',
  '2026-09-23',
]
/** Recorded in April 2025, followed by the later versions. */
const namedVersions =
  '2020-07-20-preview2, 2021-03-07, 2021-10-31-preview, 2021-11-01, 2022-06-01, 2022-10-01, 2023-10-01, ' +
  '2025-03-02-preview, 2025-06-30, 2026-09-23'
const idPattern = /^8:acs:[0-9a-f-]{36}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00$/

describe('2020-07-20-preview2', () => {
  const version = 'api-version=2020-07-20-preview2'

  it('creates an identity with 200 and a flat body', async () => {
    const response = await fixture.call({ target: `/identities?${version}` })
    expect(response.status).toBe(200)
    expect(response.json).toEqual({ id: expect.stringMatching(idPattern) })
  })

  it('issues a token at /token, with the id in the response', async () => {
    const id = await fixture.createIdentity()
    const response = await fixture.call({ target: `/identities/${id}/token?${version}`, body: { scopes: ['voip'] } })
    expect(response.status).toBe(200)
    expect(Object.keys(response.json)).toEqual(['id', 'token', 'expiresOn'])
    expect(response.json).toMatchObject({ id, expiresOn: expect.stringMatching(timePattern) })
  })

  it('accepts the scope pstn, which later versions reject', async () => {
    const id = await fixture.createIdentity()
    const body = { scopes: ['pstn'] }
    expect(await fixture.call({ target: `/identities/${id}/token?${version}`, body })).toMatchObject({ status: 200 })
    const later = await fixture.call({ target: `/identities/${id}/:issueAccessToken?api-version=2021-03-07`, body })
    expect(later.status).toBe(400)
  })

  it('revokes the tokens issued before a given time with PATCH', async () => {
    const id = await fixture.createIdentity()
    const before = await fixture.issueToken(id)
    const patch = (tokensValidFrom: unknown) =>
      fixture.call({
        method: 'PATCH',
        target: `/identities/${id}?${version}`,
        body: { tokensValidFrom },
        headers: { 'content-type': 'application/merge-patch+json' },
      })
    expect(await patch(new Date(Date.now() - 60_000).toISOString())).toMatchObject({ status: 204, text: '' })
    expect(fixture.emulator.introspect(before)).toMatchObject({ state: 'valid' })
    expect(await patch(new Date().toISOString())).toMatchObject({ status: 204 })
    expect(fixture.emulator.introspect(before)).toMatchObject({ state: 'revoked' })
    const later = await fixture.issueToken(id)
    expect(await patch(new Date(Date.now() + 60_000).toISOString())).toMatchObject({ status: 204 })
    expect(fixture.emulator.introspect(later)).toMatchObject({ state: 'revoked' })
    expect(await patch('yesterday')).toMatchObject({ status: 400, json: { error: { target: 'TokensValidFrom' } } })
    expect(await patch(null)).toMatchObject({ status: 400 })
  })
})

describe.each(laterVersions)('%s', (version) => {
  it('creates an identity with 201, and without a token by default', async () => {
    for (const body of [undefined, {}, { createTokenWithScopes: null }, { createTokenWithScopes: [] }]) {
      const response = await fixture.call({ target: `/identities?api-version=${version}`, body })
      expect(response.status).toBe(201)
      expect(response.text).toBe(JSON.stringify({ identity: { id: response.json.identity.id } }))
      expect(response.json.identity.id).toMatch(idPattern)
    }
  })

  it('creates an identity with a token of the requested scopes', async () => {
    const response = await fixture.call({
      target: `/identities?api-version=${version}`,
      body: { createTokenWithScopes: ['chat', 'voip'] },
    })
    expect(response.status).toBe(201)
    expect(response.json).toEqual({
      identity: { id: expect.stringMatching(idPattern) },
      accessToken: { token: expect.any(String), expiresOn: expect.stringMatching(timePattern) },
    })
  })

  it('issues and revokes tokens, and deletes the identity', async () => {
    const id = await fixture.createIdentity()
    const path = `/identities/${encodeURIComponent(id)}`
    const issue = () =>
      fixture.call({ target: `${path}/:issueAccessToken?api-version=${version}`, body: { scopes: ['chat'] } })
    const issued = await issue()
    expect(issued.status).toBe(200)
    expect(Object.keys(issued.json)).toEqual(['token', 'expiresOn'])
    const revoked = await fixture.call({ target: `${path}/:revokeAccessTokens?api-version=${version}` })
    expect(revoked).toMatchObject({ status: 204, text: '' })
    expect(revoked.headers['content-type']).toBeUndefined()
    expect(fixture.emulator.introspect(issued.json.token)).toMatchObject({ state: 'revoked' })
    expect(await fixture.call({ method: 'DELETE', target: `${path}?api-version=${version}` })).toMatchObject({
      status: 204,
      text: '',
    })
    expect(await issue()).toMatchObject({
      status: 404,
      json: { error: { code: 'IdentityNotFound', message: "Provided identity doesn't exist." } },
    })
  })

  it('accepts lifetimes since 2022-09-01, on creation since 2022-10-01, and join scopes since 2023-10-01', async () => {
    const body = { createTokenWithScopes: ['chat'], expiresInMinutes: 60 }
    const created = await fixture.call({ target: `/identities?api-version=${version}`, body })
    const initial = Date.parse(created.json.accessToken.expiresOn) - fixture.emulator.clock.now()
    expect(Math.round(initial / 60_000)).toBe(version >= '2022-10-01' ? 60 : 1440)
    const id = await fixture.createIdentity()
    const issue = (body: object) =>
      fixture.call({ target: `/identities/${id}/:issueAccessToken?api-version=${version}`, body })
    const { json } = await issue({ scopes: ['chat'], expiresInMinutes: 60 })
    const lifetime = Date.parse(json.expiresOn) - fixture.emulator.clock.now()
    expect(Math.round(lifetime / 60_000)).toBe(version >= '2022-09-01' ? 60 : 1440)
    const joins = await issue({ scopes: ['chat.join', 'chat.join.limited', 'voip.join'] })
    expect(joins.status).toBe(version >= '2023-10-01' ? 200 : 400)
  })

  it('ignores unknown members and null', async () => {
    const body = { createTokenWithScopes: null, expiresInMinutes: null, customId: null, extra: { a: 1 }, Extra: null }
    const created = await fixture.call({ target: `/identities?api-version=${version}`, body })
    expect(created).toMatchObject({ status: 201, json: { identity: { id: expect.stringMatching(idPattern) } } })
    const target = `/identities/${created.json.identity.id}/:issueAccessToken?api-version=${version}`
    const issued = await fixture.call({ target, body: { scopes: ['chat'], expiresInMinutes: null, extra: [] } })
    expect(issued.status).toBe(200)
  })

  it('rejects unknown members with strict, but not null', async () => {
    const create = (body: object) => strict.call({ target: `/identities?api-version=${version}`, body })
    expect((await create({ expiresInMinutes: null, customId: null, extra: null })).status).toBe(201)
    expect(await create({ extra: 1 })).toMatchObject({
      status: 400,
      json: { error: { message: 'Extra: The member is unknown to this api-version.', target: 'Extra' } },
    })
    const id = await strict.createIdentity()
    const target = `/identities/${id}/:issueAccessToken?api-version=${version}`
    const lifetime = await strict.call({ target, body: { scopes: ['chat'], expiresInMinutes: 60 } })
    expect(lifetime.status).toBe(version >= '2022-09-01' ? 200 : 400)
  })

  it('accepts custom ids in 2025-03-02-preview only', async () => {
    const create = () => fixture.call({ target: `/identities?api-version=${version}`, body: { customId: 'alice' } })
    const responses = [await create(), await create()]
    const isKnown = version === '2025-03-02-preview'
    expect(responses.map(({ status }) => status)).toEqual([201, 201])
    expect(new Set(responses.map(({ json }) => json.identity.id as string)).size).toBe(isKnown ? 1 : 2)
    expect(responses[1]!.json.identity.customId).toBe(isKnown ? 'alice' : undefined)
    const id = await fixture.createIdentity()
    const got = await fixture.call({ method: 'GET', target: `/identities/${id}?api-version=${version}` })
    expect(got.status).toBe(isKnown ? 200 : 400)
  })
})

describe('custom ids', () => {
  const version = 'api-version=2025-03-02-preview'
  const create = (body: object) => fixture.call({ target: `/identities?${version}`, body })
  const get = (id: string) => fixture.call({ method: 'GET', target: `/identities/${id}?${version}` })

  it('returns them with the time of the last token, in the recorded order, for POST and GET', async () => {
    const first = await create({ customId: 'bob' })
    const { id } = first.json.identity
    expect(first.text).toBe(JSON.stringify({ identity: { customId: 'bob', id } }))
    expect((await get(id)).text).toBe(JSON.stringify({ customId: 'bob', id }))

    fixture.emulator.clock.set(new Date('2030-01-02T03:04:05.678Z'))
    const second = await create({ customId: 'bob', createTokenWithScopes: ['chat'] })
    expect(second.status).toBe(201)
    const identity = { customId: 'bob', lastTokenIssuedAt: '2030-01-02T03:04:05+00:00', id }
    expect(JSON.stringify(second.json.identity)).toBe(JSON.stringify(identity))
    expect(second.json.accessToken.expiresOn).toMatch(timePattern)
    expect((await get(id)).text).toBe(JSON.stringify(identity))
    expect((await create({ customId: 'bob' })).text).toBe(JSON.stringify({ identity }))
    expect(fixture.emulator.identities()).toHaveLength(1)
  })

  it('returns no lastTokenIssuedAt without one', async () => {
    const { json } = await create({ createTokenWithScopes: ['chat'] })
    expect(json.identity).toEqual({ id: expect.stringMatching(idPattern) })
    expect((await get(json.identity.id)).json).toEqual(json.identity)
  })

  it('rejects all but 1 to 256 characters', async () => {
    for (const customId of ['', 'x'.repeat(257)]) expect((await create({ customId })).status).toBe(400)
  })
})

it.each(['2023-08-30-preview', '2019-01-01', 'nonsense'])(
  'rejects the api-version %s, which has no identity routes',
  async (version) => {
    const response = await fixture.call({ target: `/identities?api-version=${version}` })
    expect(response.status).toBe(400)
    const { host } = new URL(fixture.emulator.endpoint)
    expect(response.json.error).toMatchObject({
      code: 'UnsupportedApiVersion',
      message: `The HTTP resource that matches the request URI 'https://${host}/identities' does not support the API version '${version}'.`,
    })
    expect(response.headers['api-supported-versions']).toBeUndefined()
  },
)

it.each(['', '?api-version=', '?other=1'])('rejects a request without an api-version: %s', async (query) => {
  const response = await fixture.call({ target: `/identities${query}` })
  expect(response).toMatchObject({ status: 400, json: { error: { code: 'ApiVersionUnspecified' } } })
})

it('rejects two different api-versions', async () => {
  const response = await fixture.call({ target: '/identities?api-version=2021-03-07&api-version=2023-10-01' })
  expect(response).toMatchObject({ status: 400, json: { error: { code: 'AmbiguousApiVersion' } } })
})

it.each([
  ['GET', '/nothing', 404],
  ['POST', '/identities/', 404],
  ['GET', '/roles', 404],
  ['PUT', '/identities', 405],
  ['GET', '/identities', 405],
])('rejects %s %s with %i', async (method, path, status) => {
  const response = await fixture.call({ method, target: `${path}?api-version=2023-10-01` })
  expect(response).toMatchObject({
    status,
    json: { error: { code: status === 404 ? 'NotFound' : 'MethodNotAllowed' } },
  })
  if (status === 405) expect(response.headers['allow']).toBe('POST')
})

it('explains why it rejects the roles of 2023-08-30-preview', async () => {
  const { json } = await fixture.call({ method: 'GET', target: '/roles/admin?api-version=2023-08-30-preview' })
  expect(json.error.innererror.message).toBe(
    'The emulator does not serve /roles/admin, which Microsoft describes as a private preview.',
  )
})

describe('repeatable requests', () => {
  const requestId = 'c0ffee00-0000-4000-8000-000000000001'
  const firstSent = 'Thu, 26 Nov 2026 10:00:00 GMT'
  const repeatability = { 'repeatability-request-id': requestId, 'repeatability-first-sent': firstSent }
  const create = (headers: Record<string, string> = repeatability, apiVersion = '2023-08-01') =>
    fixture.call({
      target: `/identities?api-version=${apiVersion}`,
      body: { createTokenWithScopes: ['chat'] },
      headers,
    })

  it('creates one identity in 2023-08-01, even for simultaneous requests, and repeats the first response', async () => {
    const responses = await Promise.all([create(), create()])
    responses.push(await create())
    expect(responses.map(({ status }) => status)).toEqual([201, 201, 201])
    expect(new Set(responses.map(({ text }) => text)).size).toBe(1)
    expect(responses.map(({ headers }) => headers['repeatability-result'])).toEqual(Array(3).fill('accepted'))
    expect(fixture.emulator.identities()).toHaveLength(1)
    await create({ ...repeatability, 'repeatability-request-id': requestId.replace(/1$/, '2') })
    expect(fixture.emulator.identities()).toHaveLength(2)
  })

  it('runs a request again after an error or a reset', async () => {
    fixture.emulator.quotas.set({ createIdentityWithToken: 0 })
    expect((await create()).status).toBe(429)
    fixture.emulator.quotas.set(false)
    const { status, text } = await create()
    expect(status).toBe(201)
    await fixture.emulator.reset()
    expect((await create()).text).not.toBe(text)
  })

  it('does not require the headers, and ignores them in other api-versions', async () => {
    const responses = [await create({}), await create({}), await create(repeatability, '2023-10-01')]
    expect(responses.map(({ status }) => status)).toEqual([201, 201, 201])
    expect(responses.map(({ headers }) => headers['repeatability-result'])).toEqual(Array(3).fill(undefined))
    expect(fixture.emulator.identities()).toHaveLength(3)
  })

  it.each([
    [{ 'repeatability-request-id': requestId }, 'Repeatability-First-Sent'],
    [{ ...repeatability, 'repeatability-first-sent': '1' }, 'Repeatability-First-Sent'],
    [{ ...repeatability, 'repeatability-request-id': 'x' }, 'Repeatability-Request-ID'],
  ])('rejects the headers %j', async (headers, target) => {
    expect(await create(headers)).toMatchObject({ status: 400, json: { error: { target } } })
    expect(fixture.emulator.identities()).toEqual([])
  })
})

it('accepts two slashes, for endpoints that end in a slash', async () => {
  expect(await fixture.call({ target: '//identities?api-version=2023-10-01' })).toMatchObject({ status: 201 })
})

describe('headers', () => {
  it('sends those of the service on success', async () => {
    const { headers } = await fixture.call({
      target: '/identities?api-version=2023-10-01',
      headers: { 'x-ms-client-request-id': 'c0ffee' },
    })
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': expect.any(String),
      'ms-cv': expect.stringMatching(/^[A-Za-z0-9+/]{22}\.0$/),
      'request-context': 'appId=',
      'x-cache': 'CONFIG_NOCACHE',
      'x-processing-time': expect.stringMatching(/^\d+ms$/),
      'x-ms-client-request-id': 'c0ffee',
      'api-supported-versions': namedVersions,
      date: expect.any(String),
    })
    expect(headers['strict-transport-security']).toBeUndefined()
  })

  it('sends those of the service on an error of the action: chunked and without a charset', async () => {
    const id = await fixture.createIdentity()
    const { status, headers } = await fixture.call({
      target: `/identities/${id}/:issueAccessToken?api-version=2023-10-01`,
      body: { scopes: [] },
    })
    expect(status).toBe(400)
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
      'api-supported-versions': namedVersions,
    })
  })
})

describe('CORS', () => {
  const origin = { origin: 'https://app.example' }
  const target = '/identities?api-version=2023-10-01'
  const getCorsHeaders = ({ headers }: { headers: WireResponse['headers'] }) =>
    Object.entries(headers).filter(([name]) => name.startsWith('access-control-'))

  it('lets pages of any origin read responses, rejections and injected faults', async () => {
    const allowed = [['access-control-allow-origin', '*']]
    const id = await fixture.createIdentity()
    const removal = { method: 'DELETE', target: `/identities/${id}?api-version=2023-10-01`, headers: origin }
    fixture.emulator.faults.add({ operation: 'deleteIdentity', status: 503, count: 1 })
    const responses = [
      await fixture.call({ target, headers: origin }),
      await fixture.call({ target, headers: origin, accessKey: 'AAAA' }),
      await fixture.call({ target: '/nothing', headers: origin }),
      await fixture.call(removal),
      await fixture.call(removal),
    ]
    expect(responses.map(({ status }) => status)).toEqual([201, 401, 404, 503, 204])
    for (const response of responses) expect(getCorsHeaders(response)).toEqual(allowed)
  })

  it('grants every preflight, without a signature or a fault', async () => {
    fixture.emulator.faults.add({ status: 503, count: 1 })
    const response = await exchange(fixture.emulator.endpoint, {
      method: 'OPTIONS',
      target,
      headers: {
        ...origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,x-ms-content-sha256,x-ms-date',
      },
    })
    expect(response).toMatchObject({ status: 204, text: '' })
    expect(getCorsHeaders(response)).toEqual([
      ['access-control-allow-origin', '*'],
      ['access-control-allow-methods', 'GET, POST, PUT, PATCH, DELETE'],
      ['access-control-allow-headers', 'authorization,x-ms-content-sha256,x-ms-date'],
    ])
    expect((await fixture.call({ target })).status).toBe(503)
  })

  it('adds no headers for clients without an origin', async () => {
    expect(getCorsHeaders(await fixture.call({ target }))).toEqual([])
    expect((await exchange(fixture.emulator.endpoint, { method: 'OPTIONS', target })).status).toBe(401)
  })
})

describe('validation', () => {
  const issueTarget = (id: string) => `/identities/${id}/:issueAccessToken?api-version=2023-10-01`

  it.each([
    [{ scopes: [] }, 'Invalid scopes - Scopes field is required.', 'scopes', true],
    [{ scopes: null }, 'Scopes: The Scopes field is required.', 'Scopes', false],
    [{}, 'Scopes: The Scopes field is required.', 'Scopes', false],
    [undefined, 'Scopes: The Scopes field is required.', 'Scopes', false],
    [{ scopes: ['bogus'] }, "Invalid scopes - Scope 'bogus' is not supported.", 'scopes', true],
    [{ scopes: ['pstn'] }, "Invalid scopes - Scope 'pstn' is not supported.", 'scopes', true],
    [{ scopes: 'chat' }, 'Scopes: The value could not be converted.', 'Scopes', false],
    [{ scopes: ['chat', 1] }, 'Scopes: The value could not be converted.', 'Scopes', false],
    [
      { scopes: ['chat'], expiresInMinutes: 59 },
      'ExpiresInMinutes value 59 is invalid. Value must be within the [60, 1440] interval.',
      'ExpiresInMinutes',
      true,
    ],
    [
      { scopes: ['chat'], expiresInMinutes: 1441 },
      'ExpiresInMinutes value 1441 is invalid. Value must be within the [60, 1440] interval.',
      'ExpiresInMinutes',
      true,
    ],
    [
      { scopes: ['chat'], expiresInMinutes: 60.5 },
      'ExpiresInMinutes: The value could not be converted.',
      'ExpiresInMinutes',
      false,
    ],
    [[], 'The request body must be a JSON object.', '$', false],
  ])('rejects the issue body %j', async (body, message, target, isFromAction) => {
    const id = await fixture.createIdentity()
    const response = await fixture.call({ target: issueTarget(id), body })
    expect(response.status).toBe(400)
    expect(response.json).toEqual({ error: { code: 'ValidationError', message, target } })
    expect('api-supported-versions' in response.headers).toBe(isFromAction)
  })

  it('accepts null for a lifetime, and the limits of its range', async () => {
    const id = await fixture.createIdentity()
    for (const [expiresInMinutes, minutes] of [
      [null, 1440],
      [60, 60],
      [1440, 1440],
    ]) {
      const { json } = await fixture.call({ target: issueTarget(id), body: { scopes: ['chat'], expiresInMinutes } })
      const lifetime = Date.parse(json.expiresOn) - Date.now()
      expect(Math.abs(lifetime - minutes! * 60_000)).toBeLessThan(60_000)
    }
  })

  it('rejects a lifetime out of range when creating an identity', async () => {
    const response = await fixture.call({
      target: '/identities?api-version=2023-10-01',
      body: { createTokenWithScopes: ['chat'], expiresInMinutes: 1441 },
    })
    expect(response).toMatchObject({ status: 400, json: { error: { target: 'ExpiresInMinutes' } } })
    expect(fixture.emulator.identities()).toEqual([])
  })

  it('rejects malformed JSON and other media types', async () => {
    const id = await fixture.createIdentity()
    expect(await fixture.call({ target: issueTarget(id), body: '{"scopes":' })).toMatchObject({ status: 422 })
    const headers = { 'content-type': 'text/plain' }
    expect(await fixture.call({ target: issueTarget(id), body: '{}', headers })).toMatchObject({ status: 415 })
  })

  it('rejects a body of a megabyte', async () => {
    const response = await fixture.call({ target: '/identities?api-version=2023-10-01', body: 'x'.repeat(1024 * 1024) })
    expect(response).toMatchObject({ status: 413, json: { error: { code: 'RequestBodyTooLarge' } } })
  })
})

describe('ownership and existence', () => {
  const foreign = '8:acs:00000000-0000-0000-0000-000000000000_00000001-1111-2222-3333-444444444444'
  const calls = (id: string) =>
    [
      ['POST', `/identities/${id}/:issueAccessToken`, { scopes: ['chat'] }],
      ['POST', `/identities/${id}/:revokeAccessTokens`, undefined],
      ['DELETE', `/identities/${id}`, undefined],
    ] as const

  it.each([foreign, 'nonsense', '8:acs:x'])('rejects the id %s as not owned', async (id) => {
    for (const [method, path, body] of calls(id)) {
      const response = await fixture.call({ method, target: `${path}?api-version=2023-10-01`, body })
      expect(response.status).toBe(401)
      expect(response.json).toEqual({
        error: { code: 'IdentityNotOwned', message: "Provided identity doesn't belong to the resource." },
      })
      expect(response.headers['api-supported-versions']).toBeDefined()
    }
  })

  it('rejects an owned id that was deleted, or never existed', async () => {
    const id = await fixture.createIdentity()
    await fixture.call({ method: 'DELETE', target: `/identities/${id}?api-version=2023-10-01` })
    for (const missing of [id, id.replace(/.$/, (last) => (last === '0' ? '1' : '0'))]) {
      for (const [method, path, body] of calls(missing)) {
        const response = await fixture.call({ method, target: `${path}?api-version=2023-10-01`, body })
        expect(response).toMatchObject({
          status: 404,
          json: { error: { message: "Provided identity doesn't exist." } },
        })
      }
    }
  })

  it('checks ownership before empty scopes, and missing scopes before ownership', async () => {
    const target = `/identities/${foreign}/:issueAccessToken?api-version=2023-10-01`
    expect(await fixture.call({ target, body: { scopes: [] } })).toMatchObject({ status: 401 })
    expect(await fixture.call({ target, body: {} })).toMatchObject({ status: 400 })
  })
})

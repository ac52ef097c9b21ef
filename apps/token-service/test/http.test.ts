import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

const origin = 'https://app.example.com'
let fixture: ServiceFixture

beforeAll(async () => {
  fixture = await ServiceFixture.start({ env: { ALLOWED_ORIGINS: `${origin}, https://other.example` } })
})
afterAll(() => fixture[Symbol.asyncDispose]())

describe('browsers', () => {
  it('of an allowed origin may call, and read every response', async () => {
    const preflight = await fixture.call('OPTIONS /v1/token', {
      token: null,
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-max-age': '7200',
    })
    const served = await fixture.call('POST /v1/token', { headers: { origin } })
    const rejected = await fixture.call('POST /v1/token', { token: null, headers: { origin } })
    const unknown = await fixture.call('GET /nowhere', { headers: { origin } })
    expect([served, rejected, unknown].map(({ status }) => status)).toEqual([200, 401, 404])
    for (const { headers } of [served, rejected, unknown]) {
      expect(headers['access-control-allow-origin']).toBe(origin)
      expect(String(headers['vary'])).toContain('Origin')
      expect(headers['access-control-expose-headers']).toContain('WWW-Authenticate')
    }
  })

  it.each([
    ['the API', ['authorization', 'content-type'], {}],
    ['W3C tracing', ['traceparent', 'tracestate', 'baggage'], {}],
    [
      'Application Insights',
      ['request-id', 'request-context', 'correlation-context', 'x-ms-request-id', 'x-ms-request-root-id'],
      {},
    ],
    ["Azure's SDKs", ['x-ms-client-request-id', 'x-ms-useragent'], {}],
    ['ALLOWED_HEADERS', ['x-tenant', 'x-correlation-id'], { ALLOWED_HEADERS: 'X-Tenant, X-Correlation-Id' }],
  ])('may send the headers of %s', async (_name, names, env: Record<string, string>) => {
    const service = await fixture.addInstance(env)
    const { status, headers } = await fixture.call('OPTIONS /v1/token', {
      service,
      token: null,
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': names.join(),
      },
    })
    expect(status).toBe(204)
    const allowed = String(headers['access-control-allow-headers']).toLowerCase().split(', ')
    expect(allowed).toEqual(expect.arrayContaining(names))
    expect(allowed).not.toContain('*')
    expect(allowed.includes('x-tenant')).toBe('ALLOWED_HEADERS' in env)
  })

  it.each(['https://evil.example', 'null', 'http://app.example.com', `${origin}.evil.example`])(
    'of %s are rejected with a reason',
    async (other) => {
      const { status, body, headers } = await fixture.call('POST /v1/token', { headers: { origin: other } })
      expect(status).toBe(403)
      expect(body).toMatchObject({ code: 'origin-not-allowed', detail: expect.stringContaining('ALLOWED_ORIGINS') })
      expect(headers).not.toHaveProperty('access-control-allow-origin')
    },
  )

  it.each(['http://localhost:5174', 'http://localhost', 'http://127.0.0.1:3000', 'http://[::1]:8081'])(
    'of %s may call if every port of this machine is allowed',
    async (local) => {
      const origins = ['localhost', '127.0.0.1', '[::1]'].map((host) => `http://${host}:*`)
      const service = await fixture.addInstance({ ALLOWED_ORIGINS: origins.join() })
      const { status, headers } = await fixture.call('POST /v1/token', { service, headers: { origin: local } })
      expect(status).toBe(200)
      expect(headers['access-control-allow-origin']).toBe(local)
      for (const other of ['https://localhost:5174', 'http://localhost.example:5174', origin])
        expect(await fixture.call('POST /v1/token', { service, headers: { origin: other } })).toMatchObject({
          status: 403,
        })
    },
  )

  it('receive security headers, also with errors', async () => {
    for (const request of ['POST /v1/token', 'GET /nowhere', 'GET /healthz', 'GET /openapi.json']) {
      const { headers } = await fixture.call(request)
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'strict-transport-security': expect.stringContaining('max-age'),
        'x-content-type-options': 'nosniff',
      })
    }
  })
})

describe('a request that the contract does not define', () => {
  it('gets 404, or 405 with the allowed methods', async () => {
    expect(await fixture.call('GET /nowhere')).toMatchObject({ status: 404, body: { code: 'route-unknown' } })
    expect(await fixture.call('GET /v1/token')).toMatchObject({
      status: 405,
      body: { code: 'method-not-allowed' },
      headers: { allow: 'POST' },
    })
    const form = { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
    expect(await fixture.call('POST /nowhere', form)).toMatchObject({ status: 404 })
    expect(await fixture.call('PUT /v1/token', form)).toMatchObject({ status: 405 })
    expect(await fixture.call('PUT /v1/identity?x=1')).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD, DELETE' },
    })
  })

  it.each<[string, string | Buffer, string, number, string]>([
    ['not JSON', '{', 'application/json', 400, 'request-invalid'],
    ['not an object', '[]', 'application/json', 400, 'request-invalid'],
    ['a poisoned prototype', '{"__proto__":{"x":1}}', 'application/json', 400, 'request-invalid'],
    ['an object with an unknown member', '{"x":1}', 'application/json', 400, 'request-invalid'],
    ['null', 'null', 'application/json', 400, 'request-invalid'],
    ['a form', 'a=b', 'application/x-www-form-urlencoded', 415, 'media-type-unsupported'],
    ['more than 32 kB', Buffer.alloc(33 * 1024, ' '), 'application/json', 413, 'body-too-large'],
  ])('with a body that is %s', async (_name, payload, type, status, code) => {
    const response = await fixture.call('POST /v1/token', { body: payload, headers: { 'content-type': type } })
    expect(response).toMatchObject({ status, body: { code, status, requestId: expect.any(String) } })
  })

  it('gets 400 if its URL cannot be decoded', async () => {
    const { status, body, headers } = await fixture.call('GET /v1/users/%', { headers: { origin } })
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'request-invalid', detail: expect.stringContaining('%') })
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'access-control-allow-origin': origin })
  })

  it('gets 500 without details after an internal error', async () => {
    fixture.emulator.faults.add({ status: 418 })
    const { status, body } = await fixture.call('POST /v1/token', { body: { refresh: true } })
    fixture.emulator.faults.clear()
    expect(status).toBe(500)
    expect(body).toEqual({
      type: 'urn:problem-type:acs-kit:internal-error',
      title: 'Internal server error',
      status: 500,
      code: 'internal-error',
      requestId: expect.any(String),
    })
    expect(fixture.lines({ reqId: body.requestId, level: 50 })).toHaveLength(1)
  })
})

it('rejects and disconnects malformed and endless requests', async () => {
  const app = await fixture.addInstance()
  await app.listen({ host: '127.0.0.1', port: 0 })
  const [{ port }] = app.addresses() as [AddressInfo]
  async function send(bytes: string): Promise<string> {
    const socket = connect(port, '127.0.0.1')
    socket.write(bytes)
    return await text(socket)
  }
  // A client that keeps its half open does not keep a connection of the service.
  const halfOpen = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  halfOpen.write('garbage\r\n\r\n')
  await expect
    .poll(() => new Promise<number>((resolve) => app.server.getConnections((_error, count) => resolve(count))))
    .toBe(0)
  halfOpen.destroy()
  const long = 'x'.repeat(20_000)
  const [malformed, tooLong, incomplete] = await Promise.all([
    send('garbage\r\n\r\n'),
    send(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: ${long}\r\n\r\n`),
    send('POST /v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Le'),
  ])
  expect(malformed).toMatch(/^HTTP\/1.1 400 [^]*application\/problem\+json[^]*"code":"request-invalid"/)
  expect(tooLong).toMatch(/^HTTP\/1.1 431 [^]*"code":"headers-too-large"/)
  expect(incomplete).toMatch(/^HTTP\/1.1 408 [^]*"code":"request-timeout"/)
})

describe('request bodies', () => {
  let port: number

  beforeAll(async () => {
    const app = await fixture.addInstance()
    await app.listen({ host: '127.0.0.1', port: 0 })
    port = (app.addresses() as [AddressInfo])[0].port
  })

  async function send(request: string, headers: readonly string[], body = ''): Promise<string> {
    const authorization = `Authorization: Bearer ${await fixture.issuer.sign({ roles: ['admin'] })}`
    const lines = [`${request} HTTP/1.1`, 'Host: localhost', 'Connection: close', authorization, ...headers]
    const socket = connect(port, '127.0.0.1')
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
    return await text(socket)
  }

  const types = ['application/json', 'application/x-www-form-urlencoded', 'text/plain', 'a/b; c', 'form', '']
  const userKey = 'x'.repeat(43)

  it.each([
    ['POST /v1/token', 200],
    ['POST /v1/token/revoke', 204],
    ['DELETE /v1/identity', 204],
    [`POST /v1/users/${userKey}/token/revoke`, 204],
    [`DELETE /v1/users/${userKey}`, 204],
    // Its body has a required member.
    ['POST /v1/teams/token', 400],
  ])('may be absent: %s', async (request, status) => {
    const expected = expect.stringMatching(new RegExp(`^HTTP/1.1 ${status} `))
    expect(await send(request, [])).toEqual(expected)
    for (const type of types) {
      const contentType = `Content-Type: ${type}`
      expect(await send(request, [contentType]), type).toEqual(expected)
      expect(await send(request, [contentType, 'Content-Length: 0']), type).toEqual(expected)
      expect(await send(request, [contentType, 'Transfer-Encoding: chunked'], '0\r\n\r\n'), type).toEqual(expected)
    }
  })

  it('are rejected with another type or without one', async () => {
    const form = 'scopes=chat'
    for (const headers of [['Content-Type: application/x-www-form-urlencoded'], ['Content-Type: form'], []]) {
      expect(await send('POST /v1/token', [...headers, `Content-Length: ${form.length}`], form)).toMatch(
        /^HTTP\/1.1 415 [^]*"code":"media-type-unsupported"/,
      )
      expect(
        await send('POST /v1/token', [...headers, 'Transfer-Encoding: chunked'], `b\r\n${form}\r\n0\r\n\r\n`),
      ).toMatch(/^HTTP\/1.1 415 /)
    }
  })
})

it.each(['Host', 'Origin', 'Authorization', 'Content-Type'])(
  'rejects a second %s, because a proxy may have used the other one',
  async (name) => {
    const app = await fixture.addInstance()
    await app.listen({ host: '127.0.0.1', port: 0 })
    const [{ port }] = app.addresses() as [AddressInfo]
    const values = { Host: 'localhost', Origin: origin, Authorization: 'Bearer x', 'Content-Type': 'application/json' }
    const lines = Object.entries(values).map(([header, value]) => `${header}: ${value}`)
    const second = `${name.toLowerCase()}: ${values[name as keyof typeof values]}`
    for (const method of ['POST', 'OPTIONS']) {
      const socket = connect(port, '127.0.0.1')
      socket.write([`${method} /v1/token HTTP/1.1`, ...lines, second, 'Connection: close', '', ''].join('\r\n'))
      expect(await text(socket)).toMatch(
        /^HTTP\/1.1 400 [^]*"code":"request-invalid","detail":"The header \S+ is sent twice/,
      )
    }
  },
)

describe('rate limits', () => {
  it('respond with 429 and Retry-After to a user, or to an address with rejected requests', async () => {
    const service = await fixture.addInstance({ TOKENS_PER_MINUTE: '3', BAD_REQUESTS_PER_MINUTE: '4' })
    const call = (request: string, options = {}) => fixture.call(request, { service, ...options })
    const statuses = []
    for (let index = 0; index < 4; index++) statuses.push((await call('POST /v1/token')).status)
    expect(statuses).toEqual([200, 200, 200, 429])
    const limited = await call('POST /v1/token')
    expect(limited).toMatchObject({ body: { code: 'rate-limited', retryAfter: expect.any(Number) } })
    expect(limited.headers['retry-after']).toBe(String(limited.body.retryAfter))
    expect(limited.body.retryAfter).toBeLessThanOrEqual(60)
    const bob = await fixture.issuer.sign({ sub: 'bob' })
    expect((await call('POST /v1/token', { token: bob })).status).toBe(200)

    const rejected = []
    for (let index = 0; index < 3; index++) rejected.push((await call('GET /nowhere')).status)
    rejected.push(
      (await call('POST /v1/token', { token: null })).status,
      (await call('POST /v1/token', { token: 'x' })).status,
    )
    expect(rejected).toEqual([404, 404, 404, 401, 429])
    expect((await call('POST /v1/token', { token: bob })).status).toBe(200)
  })

  it('use the address that the trusted proxies report, and no other', async () => {
    const getStatuses = async (env: Record<string, string>) => {
      const service = await fixture.addInstance({ BAD_REQUESTS_PER_MINUTE: '1', ...env })
      const results = []
      for (const address of ['203.0.113.1', '203.0.113.2']) {
        const { status } = await fixture.call('GET /nowhere', { service, headers: { 'x-forwarded-for': address } })
        results.push(status)
      }
      return results
    }
    expect(await getStatuses({ TRUSTED_PROXIES: '1' })).toEqual([404, 404])
    expect(await getStatuses({})).toEqual([404, 429])
  })
})

it('logs no token, access key or name; audit lines identify users by key', async () => {
  const token = await fixture.issuer.sign({ sub: 'carol@example.com', name: 'Carol' })
  const issued = await fixture.call('POST /v1/token', { token })
  await fixture.call('POST /v1/token', { token, body: { refresh: true } })
  await fixture.call('POST /v1/token/revoke', { token })
  fixture.emulator.faults.add({ status: 401, count: 1 })
  await fixture.call('POST /v1/token', { token })
  await fixture.call('DELETE /v1/identity', { token })
  await fixture.call('POST /v1/token', { token: `${token}x` })
  await fixture.call('POST /v1/teams/token', { token, body: { token } })

  const audited = fixture.lines({}).filter((line) => 'audit' in line)
  const key = audited.findLast(({ audit }) => audit === 'delete')!['userKey']
  expect(key).toMatch(/^[\w-]{43}$/)
  expect(audited.filter(({ userKey }) => userKey === key).map(({ audit }) => audit)).toEqual([
    'create',
    'issue',
    'refresh',
    'revoke',
    'delete',
  ])
  const secrets = [
    token,
    token.split('.')[2]!,
    issued.body.token,
    fixture.emulator.accessKey,
    'carol',
    'Carol',
    'AccountKey',
  ]
  for (const secret of secrets) expect(fixture.logged).not.toContain(secret)
})

describe('documentation', () => {
  it('includes the OpenAPI document', async () => {
    const { body } = await fixture.call('GET /openapi.json', { token: null })
    expect(body.openapi).toBe('3.1.0')
    expect(Object.keys(body.paths)).toContain('/v1/users/{userKey}/token/revoke')
  })

  it('includes the reference page only if REFERENCE_PAGE is set', async () => {
    expect((await fixture.call('GET /reference')).status).toBe(404)
  })
})

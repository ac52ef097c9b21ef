import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

const origin = 'https://app.example.com'
let fixture: ServiceFixture

beforeAll(async () => {
  fixture = await ServiceFixture.start({ env: { ALLOWED_ORIGINS: `${origin}, https://other.example` } })
})
afterAll(() => fixture[Symbol.asyncDispose]())

describe('browsers', () => {
  test('of a listed origin may call, and read every answer', async () => {
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
    const refused = await fixture.call('POST /v1/token', { token: null, headers: { origin } })
    const unknown = await fixture.call('GET /nowhere', { headers: { origin } })
    expect([served, refused, unknown].map(({ status }) => status)).toEqual([200, 401, 404])
    for (const { headers } of [served, refused, unknown]) {
      expect(headers['access-control-allow-origin']).toBe(origin)
      expect(String(headers['vary'])).toContain('Origin')
      expect(headers['access-control-expose-headers']).toContain('WWW-Authenticate')
    }
  })

  test.each([
    ['what the API reads', ['authorization', 'content-type'], {}],
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

  test.each(['https://evil.example', 'null', 'http://app.example.com', `${origin}.evil.example`])(
    'of %s are told why not',
    async (other) => {
      const { status, body, headers } = await fixture.call('POST /v1/token', { headers: { origin: other } })
      expect(status).toBe(403)
      expect(body).toMatchObject({ code: 'origin-not-allowed', detail: expect.stringContaining('ALLOWED_ORIGINS') })
      expect(headers).not.toHaveProperty('access-control-allow-origin')
    },
  )

  test.each(['http://localhost:5174', 'http://localhost', 'http://127.0.0.1:3000', 'http://[::1]:8081'])(
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

  test('get headers that suit an API, with errors too', async () => {
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

describe('what the contract does not have', () => {
  test('is 404, or 405 with what there is', async () => {
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

  test.each<[string, string | Buffer, string, number, string]>([
    ['no JSON', '{', 'application/json', 400, 'request-invalid'],
    ['no object', '[]', 'application/json', 400, 'request-invalid'],
    ['a poisoned prototype', '{"__proto__":{"x":1}}', 'application/json', 400, 'request-invalid'],
    ['a member that it does not know', '{"x":1}', 'application/json', 400, 'request-invalid'],
    ['null', 'null', 'application/json', 400, 'request-invalid'],
    ['a form', 'a=b', 'application/x-www-form-urlencoded', 415, 'media-type-unsupported'],
    ['more than 32 kB', Buffer.alloc(33 * 1024, ' '), 'application/json', 413, 'body-too-large'],
  ])('a body that is %s', async (_name, payload, type, status, code) => {
    const answer = await fixture.call('POST /v1/token', { body: payload, headers: { 'content-type': type } })
    expect(answer).toMatchObject({ status, body: { code, status, requestId: expect.any(String) } })
  })

  test('an address that can’t be decoded is no secret failure', async () => {
    const { status, body, headers } = await fixture.call('GET /v1/users/%', { headers: { origin } })
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'request-invalid', detail: expect.stringContaining('%') })
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'access-control-allow-origin': origin })
  })

  test('our own failures show nothing of themselves', async () => {
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

test('what is no request, or never ends, is answered and cut off', async () => {
  const app = await fixture.addInstance()
  await app.listen({ host: '127.0.0.1', port: 0 })
  const [{ port }] = app.addresses() as [AddressInfo]
  async function send(bytes: string): Promise<string> {
    const socket = connect(port, '127.0.0.1')
    socket.write(bytes)
    return await text(socket)
  }
  // One that keeps its half open holds nothing of the service.
  const stubborn = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  stubborn.write('garbage\r\n\r\n')
  await expect
    .poll(() => new Promise<number>((resolve) => app.server.getConnections((_error, count) => resolve(count))))
    .toBe(0)
  stubborn.destroy()
  const long = 'x'.repeat(20_000)
  const [garbage, tooLong, half] = await Promise.all([
    send('garbage\r\n\r\n'),
    send(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: ${long}\r\n\r\n`),
    send('POST /v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Le'),
  ])
  expect(garbage).toMatch(/^HTTP\/1.1 400 [^]*application\/problem\+json[^]*"code":"request-invalid"/)
  expect(tooLong).toMatch(/^HTTP\/1.1 431 [^]*"code":"headers-too-large"/)
  expect(half).toMatch(/^HTTP\/1.1 408 [^]*"code":"request-timeout"/)
})

describe('an absent body is not an error', () => {
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

  test.each([
    ['POST /v1/token', 200],
    ['POST /v1/token/revoke', 204],
    ['DELETE /v1/identity', 204],
    [`POST /v1/users/${userKey}/token/revoke`, 204],
    [`DELETE /v1/users/${userKey}`, 204],
    // It has a required member.
    ['POST /v1/teams/token', 400],
  ])('%s', async (request, status) => {
    const expected = expect.stringMatching(new RegExp(`^HTTP/1.1 ${status} `))
    expect(await send(request, [])).toEqual(expected)
    for (const type of types) {
      const contentType = `Content-Type: ${type}`
      expect(await send(request, [contentType]), type).toEqual(expected)
      expect(await send(request, [contentType, 'Content-Length: 0']), type).toEqual(expected)
      expect(await send(request, [contentType, 'Transfer-Encoding: chunked'], '0\r\n\r\n'), type).toEqual(expected)
    }
  })

  test('but a body of another type, or of none, is one', async () => {
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

test.each(['Host', 'Origin', 'Authorization', 'Content-Type'])(
  'a second %s is a bad request, since it is not clear which one counts',
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

describe('too many requests', () => {
  test('of a user, or refused ones of an address, are 429 with a time', async () => {
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

    const bad = []
    for (let index = 0; index < 3; index++) bad.push((await call('GET /nowhere')).status)
    bad.push(
      (await call('POST /v1/token', { token: null })).status,
      (await call('POST /v1/token', { token: 'x' })).status,
    )
    expect(bad).toEqual([404, 404, 404, 401, 429])
    expect((await call('POST /v1/token', { token: bob })).status).toBe(200)
  })

  test('are counted by the address that the trusted proxies name, and by no other', async () => {
    const codes = async (env: Record<string, string>) => {
      const service = await fixture.addInstance({ BAD_REQUESTS_PER_MINUTE: '1', ...env })
      const results = []
      for (const address of ['203.0.113.1', '203.0.113.2']) {
        const answer = await fixture.call('GET /nowhere', { service, headers: { 'x-forwarded-for': address } })
        results.push(answer.status)
      }
      return results
    }
    expect(await codes({ TRUSTED_PROXIES: '1' })).toEqual([404, 404])
    expect(await codes({})).toEqual([404, 429])
  })
})

test('nobody’s token, key or name is in the log; each audit line names the user by key', async () => {
  const token = await fixture.issuer.sign({ sub: 'carol@example.com', name: 'Carol' })
  const answer = await fixture.call('POST /v1/token', { token })
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
    answer.body.token,
    fixture.emulator.accessKey,
    'carol',
    'Carol',
    'AccountKey',
  ]
  for (const secret of secrets) expect(fixture.logged).not.toContain(secret)
})

describe('for those who run it', () => {
  test('the OpenAPI document is served', async () => {
    const { body } = await fixture.call('GET /openapi.json', { token: null })
    expect(body.openapi).toBe('3.1.0')
    expect(Object.keys(body.paths)).toContain('/v1/users/{userKey}/token/revoke')
  })

  test('the reference page is there by setting only', async () => {
    expect((await fixture.call('GET /reference')).status).toBe(404)
  })
})

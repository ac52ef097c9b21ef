import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

const origin = 'https://app.example.com'
let fixture: ServiceFixture

beforeAll(async () => {
  fixture = await ServiceFixture.start({ env: { ALLOWED_ORIGINS: origin } })
})
afterAll(() => fixture[Symbol.asyncDispose]())

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
  ])('is rejected with a body that is %s', async (_name, payload, type, status, code) => {
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

describe('the rate limit', () => {
  it('responds with 429 and Retry-After to a user, or to an address with rejected requests', async () => {
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

  it('uses the address that the trusted proxies report, and no other', async () => {
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

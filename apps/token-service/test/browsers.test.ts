import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

const origin = 'https://app.example.com'
let fixture: ServiceFixture

beforeAll(async () => {
  fixture = await ServiceFixture.start({ env: { ALLOWED_ORIGINS: `${origin}, https://other.example` } })
})
afterAll(() => fixture[Symbol.asyncDispose]())

describe('a service for browsers', () => {
  it('serves pages of an allowed origin, which can read every response', async () => {
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
  ])('allows the headers of %s', async (_name, names, env: Record<string, string>) => {
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
    'rejects the origin %s with a reason',
    async (other) => {
      const { status, body, headers } = await fixture.call('POST /v1/token', { headers: { origin: other } })
      expect(status).toBe(403)
      expect(body).toMatchObject({ code: 'origin-not-allowed', detail: expect.stringContaining('ALLOWED_ORIGINS') })
      expect(headers).not.toHaveProperty('access-control-allow-origin')
    },
  )

  it.each(['http://localhost:5174', 'http://localhost', 'http://127.0.0.1:3000', 'http://[::1]:8081'])(
    'serves the origin %s if every port of this machine is allowed',
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

  it('sends security headers, also with errors', async () => {
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

import { readSettings } from '@acs-kit/service-settings'
import fastifyRateLimit from '@fastify/rate-limit'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serverOptions, tokenService, type TokenServiceOptions } from '../src/index.ts'
import { createLog } from '../src/log.ts'
import { ServiceFixture } from './service-fixture.ts'

const origin = 'https://app.example.com'
let fixture: ServiceFixture
let app: FastifyInstance

beforeAll(async () => {
  fixture = await ServiceFixture.start({ env: { ALLOWED_ORIGINS: origin } })
})
afterAll(() => fixture[Symbol.asyncDispose]())
afterEach(() => app.close())

/** An app with routes and handlers of its own, which the service is added to. */
async function startApp(
  options: Partial<TokenServiceOptions> & { prefix?: string } = {},
  prepare: (host: FastifyInstance) => PromiseLike<unknown> = () => Promise.resolve(),
): Promise<void> {
  const settings = readSettings(fixture.env)
  const log = createLog('debug', { write: (line: string) => void (fixture.logged += line) })
  app = fastify({ ...serverOptions(settings, log), bodyLimit: 100 })
  app.setErrorHandler((error: Error, _request, reply) => reply.code(500).send(`own error: ${error.message}`))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send('own 404'))
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.post('/own', async ({ body }) => ({ body }))
  app.get('/own/failure', async () => {
    throw new Error('failed')
  })
  await prepare(app)
  await app.register(tokenService, { ...settings, log, ...options })
}

describe.each([undefined, '/communication'])('registered with the prefix %s', (prefix) => {
  const at = (path: string) => `${prefix ?? ''}${path}`

  async function requestToken(headers: Record<string, string> = {}, payload: object = {}) {
    const authorization = `Bearer ${await fixture.issuer.sign()}`
    return app.inject({ method: 'POST', url: at('/v1/token'), headers: { authorization, ...headers }, payload })
  }

  it('issues tokens and responds to browsers', async () => {
    await startApp({ ...(prefix && { prefix }) })
    const response = await requestToken({ origin })
    expect(response).toMatchObject({ statusCode: 200, headers: { 'access-control-allow-origin': origin } })
    expect(fixture.emulator.introspect(response.json().token).state).toBe('valid')
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: at('/v1/token'),
      headers: { origin, 'access-control-request-method': 'POST' },
    })
    expect(preflight).toMatchObject({
      statusCode: 204,
      headers: { 'access-control-allow-methods': 'GET, POST, PUT, DELETE' },
    })
    expect((await app.inject(at('/healthz'))).json()).toEqual({ status: 'ok' })
  })

  it('rejects requests with the problems of the contract', async () => {
    await startApp({ ...(prefix && { prefix }) })
    const rejected = await app.inject({ method: 'POST', url: at('/v1/token') })
    expect(rejected.json()).toMatchObject({ status: 401, code: 'token-missing' })
    expect((await requestToken({}, { scopes: ['x'.repeat(1000)] })).json()).toMatchObject({ code: 'scope-unknown' })
    expect((await requestToken({}, { scopes: ['x'.repeat(33 * 1024)] })).json()).toMatchObject({
      code: 'body-too-large',
    })
    expect((await requestToken({ 'content-type': 'text/csv' }, 'a,b' as never)).statusCode).toBe(415)
  })

  it("keeps the app's own routes, error handler, parsers, CORS and unknown routes", async () => {
    await startApp({ ...(prefix && { prefix }) })
    expect(await app.inject('/own/failure')).toMatchObject({ statusCode: 500, body: 'own error: failed' })
    expect(await app.inject('/unknown')).toMatchObject({ statusCode: 404, body: 'own 404' })
    expect(await app.inject({ method: 'PUT', url: '/own' })).toMatchObject({ statusCode: 404, body: 'own 404' })
    expect(await app.inject({ method: 'OPTIONS', url: '/own', headers: { origin } })).toMatchObject({
      statusCode: 404,
      body: 'own 404',
    })
    const csv = { method: 'POST', url: '/own', headers: { 'content-type': 'text/csv', origin } } as const
    const parsed = await app.inject({ ...csv, payload: 'a,b' })
    expect(parsed.json()).toEqual({ body: 'a,b' })
    for (const name of ['access-control-allow-origin', 'content-security-policy', 'cache-control']) {
      expect(parsed.headers).not.toHaveProperty(name)
    }
    expect((await app.inject({ ...csv, payload: 'x'.repeat(101) })).body).toMatch(/^own error: /)
    expect((await app.inject({ ...csv, headers: { origin: 'https://other.example' }, payload: '{}' })).body).toMatch(
      /^own error: /,
    )
    expect(app.hasDecorator('userTokens')).toBe(false)
  })
})

it('handles unknown routes below its prefix', async () => {
  await startApp({ prefix: '/communication' })
  expect((await app.inject('/communication/unknown')).json()).toMatchObject({ code: 'route-unknown' })
  expect(await app.inject('/communication/v1/token')).toMatchObject({ statusCode: 405, headers: { allow: 'POST' } })
  expect((await app.inject('/communication/openapi.json')).json().servers).toEqual([{ url: '/communication' }])
})

it('works with a rate limit of the app', async () => {
  await startApp({}, (host) => host.register(fastifyRateLimit, { max: 1 }))
  expect((await app.inject('/healthz')).statusCode).toBe(200)
  expect((await app.inject('/healthz')).json()).toMatchObject({ status: 429, code: 'rate-limited' })
})

it('serves the reference page below its prefix', async () => {
  await startApp({ prefix: '/communication', REFERENCE_PAGE: true })
  const [script] = /\/\S+start\.js/.exec((await app.inject('/communication/reference')).body)!
  expect((await app.inject(script)).body).toContain("url: '/communication/openapi.json'")
})

it('checks its health from listen to close', async () => {
  await startApp()
  await app.ready()
  expect((await app.inject('/readyz')).json()).toMatchObject({ status: 'not-ready', store: 'unknown' })
  await app.listen({ host: '127.0.0.1', port: 0 })
  await expect.poll(async () => (await app.inject('/readyz')).json()).toMatchObject({ status: 'ready' })
})

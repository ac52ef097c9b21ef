import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { outage, sdk } from './service-fixture.ts'
import { TelemetryFixture } from './telemetry-fixture.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const clientSpanId = '00f067aa0ba902b7'
let telemetry: TelemetryFixture

beforeAll(async () => {
  telemetry = await TelemetryFixture.start({
    env: { BAD_REQUESTS_PER_MINUTE: '3', TRUSTED_PROXIES: '1' },
  })
})
afterAll(() => telemetry[Symbol.asyncDispose]())

/** Sends a request with a trace of its own, and returns its span and those of its steps. */
async function trace(operation: string, options: Parameters<TelemetryFixture['send']>[1] = {}) {
  const before = telemetry.requests.length
  const response = await telemetry.send(operation, options)
  await expect.poll(() => telemetry.requests.length).toBe(before + 1)
  const span = telemetry.requests[before]!
  const { traceId, spanId } = span
  const steps = () => telemetry.spans.filter((step) => step.traceId === traceId && step.spanId !== spanId)
  return { response, span, steps, body: response.status === 204 ? {} : await response.json() }
}

it("continues the client's trace, with a span for each step of a first sign-in", async () => {
  const headers = { traceparent: `00-${traceId}-${clientSpanId}-01`, tracestate: 'vendor=value', baggage: 'user=alice' }
  const body = { scopes: ['chat'] }
  const { span, steps } = await trace('POST /v1/token', { headers, body })
  expect(span).toMatchObject({
    traceId,
    parentSpanId: clientSpanId,
    traceState: 'vendor=value',
    name: 'POST /v1/token',
  })
  expect(span.attributes).toEqual({
    'http.request.method': 'POST',
    'http.route': '/v1/token',
    'http.response.status_code': 200,
    'url.scheme': 'http',
    'acs_kit.request_id': expect.any(String),
  })
  const settlement = ['settle a first login', ['remove journal entry']]
  const store = ['find user', 'write journal entry', sdk === 'identity' ? 'createWithToken' : 'create', 'insert user']
  await expect
    .poll(() => telemetry.tree(span))
    .toEqual([
      ['verify sign-in', ['load signing keys']],
      ['resolve identity', [...store, settlement]],
      ...(sdk === 'identity' ? [] : [['issue token', ['issueToken']]]),
    ])
  const calls = steps().filter(({ kind }) => kind === 'client')
  expect(new Map(calls.map(({ name, attributes }) => [name, attributes['service.peer.name']]))).toEqual(
    new Map([
      ['load signing keys', 'sign-in issuer'],
      ...[...store, 'remove journal entry'].map((name) => [
        name,
        name.startsWith('create') ? 'Azure Communication Services' : 'identity store',
      ]),
      ...(sdk === 'identity' ? [] : [['issueToken', 'Azure Communication Services']]),
    ] as [string, string][]),
  )
  for (const step of steps()) expect(step).toMatchObject({ traceState: 'vendor=value', isError: false })
})

it('traces the steps of a request whose body arrives after its headers', async () => {
  // The service reads the body of a known user immediately, and so waits for it.
  const token = await telemetry.fixture.sign({ sub: 'slow' })
  await trace('POST /v1/token', { token })
  const before = telemetry.requests.length
  const body = JSON.stringify({ refresh: true })
  const client = request(`${telemetry.address}/v1/token`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': body.length,
      expect: '100-continue',
    },
  })
  client.once('continue', () => client.end(body))
  client.flushHeaders()
  const [response] = (await once(client, 'response')) as [IncomingMessage]
  response.resume()
  expect(response.statusCode).toBe(200)
  await expect.poll(() => telemetry.requests.length).toBe(before + 1)
  expect(telemetry.tree(telemetry.requests[before]!)).toEqual([['issue token', ['issueToken']]])
})

it('traces a cached token without steps, in a trace of its own', async () => {
  const token = await telemetry.fixture.sign({ sub: 'cached' })
  await trace('POST /v1/token', { token })
  const { span, steps } = await trace('POST /v1/token', { token })
  expect(span.parentSpanId).toBeUndefined()
  expect(steps()).toEqual([])
})

it('names the problem of a failed request, which is an error only if the service failed', async () => {
  const rejected = { token: null, headers: { 'x-forwarded-for': '203.0.113.5' } }
  const missing = await trace('GET /v1/identity', rejected)
  expect(missing.span).toMatchObject({ isError: false, attributes: { 'error.type': 'token-missing' } })
  expect(missing.steps()).toMatchObject([{ name: 'verify sign-in', isError: false }])
  expect(missing.steps()[0]!.attributes).toEqual({ 'error.type': 'token-missing' })

  const unknown = await trace('GET /v1/nothing/of/that/name', rejected)
  expect(unknown.span).toMatchObject({ name: 'GET', isError: false, attributes: { 'error.type': 'route-unknown' } })
  expect(unknown.span.attributes).not.toHaveProperty('http.route')

  const large = await trace('POST /v1/token', { body: { scopes: ['x'.repeat(33 * 1024)] } })
  expect(large.span.attributes).toMatchObject({ 'error.type': 'body-too-large', 'http.response.status_code': 413 })

  await trace('GET /v1/identity', rejected)
  const limited = await trace('GET /v1/identity', rejected)
  expect(limited.span.attributes).toMatchObject({ 'error.type': 'rate-limited', 'http.response.status_code': 429 })
})

it('counts the attempts of a call to Azure Communication Services, and names its failure', async () => {
  const token = await telemetry.fixture.sign({ sub: 'retried' })
  await trace('POST /v1/token', { token })
  const { faults } = telemetry.fixture.emulator
  faults.add({ operation: 'issueAccessToken', status: 503, count: 1 })
  faults.add({ operation: 'issueAccessToken', ...outage })
  const { span, steps } = await trace('POST /v1/token', { token, body: { refresh: true } })
  faults.clear()
  expect(span).toMatchObject({ isError: true, attributes: { 'error.type': 'communication-unavailable' } })
  expect(telemetry.tree(span)).toEqual([['issue token', ['issueToken']]])
  const call = steps().find(({ name }) => name === 'issueToken')
  expect(call).toMatchObject({ isError: true, attributes: { 'error.type': 'unavailable' } })
  expect(call!.events).toEqual(['attempt', 'attempt'])
})

it('shows that a request waited for the call of another one', async () => {
  const token = await telemetry.fixture.sign({ sub: 'shared' })
  await trace('POST /v1/token', { token })
  const before = telemetry.requests.length
  const fault = telemetry.fixture.emulator.faults.add({ operation: 'issueAccessToken', latencyMs: 600_000, count: 1 })
  const send = () => telemetry.send('POST /v1/token', { token, body: { refresh: true } })
  const first = send()
  await expect.poll(() => telemetry.fixture.emulator.faults.list()[0]?.appliedCount).toBe(1)
  const second = send()
  // A request that is sent after the second one arrives after it.
  await (await telemetry.send('GET /v1/identity', { token })).json()
  telemetry.fixture.emulator.faults.remove(fault)
  for (const response of await Promise.all([first, second])) expect(response.status).toBe(200)
  await expect.poll(() => telemetry.requests.length).toBe(before + 3)
  const trees = telemetry.requests.slice(before).map((span) => JSON.stringify(telemetry.tree(span)))
  expect(trees.toSorted()).toEqual(['["find user"]', '["issue token"]', '[["issue token",["issueToken"]]]'])
})

it('ends the span of a request whose client does not wait for the response', async () => {
  const token = await telemetry.fixture.sign({ sub: 'impatient' })
  const before = telemetry.requests.length
  const operation = 'createIdentity'
  const fault = telemetry.fixture.emulator.faults.add({ operation, latencyMs: 600_000, count: 1 })
  const client = new AbortController()
  const response = telemetry.send('POST /v1/token', { token, signal: client.signal })
  await expect.poll(() => telemetry.fixture.emulator.faults.list()[0]?.appliedCount).toBe(1)
  client.abort()
  await expect(response).rejects.toThrow('aborted')
  await expect.poll(() => telemetry.requests.length).toBe(before + 1)
  telemetry.fixture.emulator.faults.remove(fault)
  const { attributes, isError } = telemetry.requests[before]!
  expect({ isError, type: attributes['error.type'] }).toEqual({ isError: true, type: 'aborted' })
  expect(attributes).not.toHaveProperty('http.response.status_code')
})

it('traces neither health checks nor work without a request', async () => {
  await telemetry.send('GET /healthz')
  await expect.poll(async () => (await telemetry.send('GET /readyz')).status).toBe(200)
  // Health checks and the reaper have read the store: spans without a request would have no parent.
  await trace('GET /openapi.json')
  const names = new Set(telemetry.requests.map(({ name }) => name))
  expect(names).not.toContain('GET /healthz')
  expect(names).not.toContain('GET /readyz')
  const ids = new Set(telemetry.spans.map(({ spanId }) => spanId))
  const orphans = telemetry.spans.filter(({ kind, parentSpanId = '' }) => kind !== 'server' && !ids.has(parentSpanId))
  expect(orphans).toEqual([])
})

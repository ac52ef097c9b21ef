import { toUserKey } from '@acs-kit/service-settings'
import { expect, it } from 'vitest'
import { outage } from './service-fixture.ts'
import { TelemetryFixture } from './telemetry-fixture.ts'

const address = '203.0.113.77'
const query = 'query-of-a-client'

it.each(['http/json', 'http/protobuf'])(
  'exports no token, key, name, id or address of a client with %s',
  async (OTEL_EXPORTER_OTLP_PROTOCOL) => {
    await using telemetry = await TelemetryFixture.start({
      env: {
        OTEL_EXPORTER_OTLP_PROTOCOL,
        OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret-of-the-collector',
        OTEL_METRIC_EXPORT_INTERVAL: '100',
        BAD_REQUESTS_PER_MINUTE: '3',
        TRUSTED_PROXIES: '1',
      },
    })
    const { fixture } = telemetry
    const { emulator } = fixture
    const headers = {
      'x-forwarded-for': address,
      'user-agent': 'agent-of-a-client',
      baggage: 'user=baggage-of-a-client',
    }
    const statuses: number[] = []
    const bodies: string[] = []
    const send = async (request: string, options: Parameters<TelemetryFixture['send']>[1] = {}) => {
      const response = await telemetry.send(request, { ...options, headers: { ...headers, ...options.headers } })
      statuses.push(response.status)
      const body = await response.text()
      bodies.push(body)
      return body === '' ? {} : (JSON.parse(body) as Record<string, string>)
    }

    const alice = await fixture.sign({ sub: 'alice-in-the-token', roles: ['role-in-the-token'] })
    const admin = await fixture.sign({ sub: 'admin-in-the-token', roles: ['admin'] })
    const userKey = toUserKey('oidc', fixture.issuer.issuer, 'alice-in-the-token')
    const issued = await send(`POST /v1/token?q=${query}`, { token: alice, body: { scopes: ['chat'] } })
    await send('POST /v1/token', { token: alice })
    await send(`GET /v1/users?subject=alice-in-the-token`, { token: admin })
    await send(`GET /v1/users/${userKey}?q=${query}`, { token: admin })
    await send(`GET /v1/${query}`, { token: alice })
    // Each failure comes from another address, whose limit it does not reach.
    const elsewhere = (last: number) => ({ headers: { 'x-forwarded-for': `203.0.113.${last}` } })
    await send('POST /v1/token', { token: `${alice}x`, ...elsewhere(1) })
    await send('POST /v1/token', {
      token: await fixture.sign({ iss: 'https://issuer-of-a-client.example' }),
      ...elsewhere(2),
    })
    for (let count = 0; count < 3; count++) await send('POST /v1/token', { token: null })
    const fault = emulator.faults.add({ operation: 'issueAccessToken', ...outage })
    await send('POST /v1/token', { token: alice, body: { refresh: true } })
    emulator.faults.remove(fault)
    const table = fixture.openTable()
    for await (const { partitionKey, rowKey } of table.listEntities({
      queryOptions: { filter: "PartitionKey ne 'journal'" },
    })) {
      await table.updateEntity({ partitionKey: partitionKey!, rowKey: rowKey!, createdOn: 'value-of-a-row' }, 'Merge')
    }
    await send('GET /v1/identity', { token: alice })
    await send(`DELETE /v1/users/${userKey}`, { token: admin })
    expect(statuses).toEqual([200, 200, 200, 405, 404, 401, 401, 401, 429, 429, 503, 500, 500])

    const exported = () => telemetry.exports.map(({ path, body }) => `${path} ${body.toString('latin1')}`).join('\n')
    for (const part of [
      'GET /v1/identity',
      'internal-error',
      'communication-unavailable',
      'rate-limited',
      'token-invalid',
    ]) {
      await expect.poll(exported).toContain(part)
    }
    await expect.poll(exported).toContain('http.server.request.duration')
    process.kill(telemetry.server.pid, 'SIGTERM')
    expect(await telemetry.server.exit()).toBe(0)

    const connectionString = fixture.env['COMMUNICATION_SERVICES_CONNECTION_STRING']!
    const [, accessKey] = /accesskey=([^;]+)/.exec(connectionString)!
    const secrets = [
      ...[alice, admin, issued['token']!].flatMap((token) => token.split('.')),
      accessKey!,
      userKey,
      issued['communicationUserId']!,
      emulator.resources[0]!.immutableResourceId,
      'alice-in-the-token',
      'admin-in-the-token',
      'role-in-the-token',
      'of-a-client',
      'value-of-a-row',
      'secret-of-the-collector',
      '203.0.113.',
      '127.0.0.1',
      'localhost',
    ]
    for (const secret of secrets) expect(exported()).not.toContain(secret)
    expect(telemetry.server.stdout + telemetry.server.stderr).not.toContain('secret-of-the-collector')
    // The requests did contain them.
    expect(bodies.join('\n')).toContain(issued['communicationUserId'])
    expect(telemetry.exports.every((received) => received.headers['api-key'] === 'secret-of-the-collector')).toBe(true)
    const type = OTEL_EXPORTER_OTLP_PROTOCOL === 'http/json' ? 'application/json' : 'application/x-protobuf'
    expect(new Set(telemetry.exports.map((received) => received.headers['content-type']))).toEqual(new Set([type]))
  },
)

import { readPluginSettings } from '@acs-kit/service-settings'
import { startOtlpReceiver } from '@acs-kit/test-support/otlp-receiver'
import fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { tokenService } from '../src/index.ts'
import { createLog } from '../src/log.ts'
import { ServiceFixture } from './service-fixture.ts'
import { TelemetryFixture } from './telemetry-fixture.ts'

/** Sends a request that continues a trace, which the client does or does not record. */
function sendTraced(telemetry: TelemetryFixture, flags: '00' | '01') {
  const headers = { traceparent: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-${flags}` }
  return telemetry.send('GET /v1/identity', { headers, token: null })
}

async function stop({ server }: TelemetryFixture): Promise<number | null> {
  process.kill(server.pid, 'SIGTERM')
  return server.exit()
}

describe('telemetry', () => {
  it('exports what is left when it stops, with the name and attributes of the settings', async () => {
    await using telemetry = await TelemetryFixture.start({
      env: {
        OTEL_BSP_SCHEDULE_DELAY: '600000',
        OTEL_SERVICE_NAME: 'tokens',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod,service.name=other',
      },
    })
    await telemetry.send('POST /v1/token')
    expect(telemetry.exports).toEqual([])
    expect(await stop(telemetry)).toBe(0)
    const [span] = telemetry.requests
    expect(span!.resource).toMatchObject({
      'service.name': 'tokens',
      'service.instance.id': expect.stringMatching(/^[\da-f-]{36}$/),
      'deployment.environment.name': 'prod',
    })
    expect(telemetry.exports.map(({ path }) => path)).toContain('/v1/metrics')
  })

  it.each([
    [{}, ['00f067aa0ba902b7', undefined]],
    [{ OTEL_TRACES_SAMPLER: 'always_on' }, ['00f067aa0ba902b7', '00f067aa0ba902b7', undefined]],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, ['00f067aa0ba902b7']],
  ])('traces the requests that the sampler selects: %j', async (env, parents) => {
    await using telemetry = await TelemetryFixture.start({ env })
    await sendTraced(telemetry, '00')
    await sendTraced(telemetry, '01')
    await telemetry.send('GET /v1/identity', { token: null })
    await stop(telemetry)
    expect(telemetry.requests.map(({ parentSpanId }) => parentSpanId)).toEqual(parents)
  })

  it('serves requests and stops while the collector does not respond', async () => {
    await using telemetry = await TelemetryFixture.start({ collector: 'never' })
    expect((await telemetry.send('POST /v1/token')).status).toBe(200)
    await expect.poll(() => telemetry.exports.length).toBeGreaterThan(0)
    // The service would be killed after 10 seconds, with another exit code.
    expect(await stop(telemetry)).toBe(0)
  })

  it('serves requests and stops while the collector cannot be reached', async () => {
    const { url, [Symbol.asyncDispose]: close } = await startOtlpReceiver(() => {})
    await close()
    await using telemetry = await TelemetryFixture.start({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } })
    expect((await telemetry.send('POST /v1/token')).status).toBe(200)
    expect(await stop(telemetry)).toBe(0)
  })

  it('logs rejected exports in one line, without their headers', async () => {
    await using telemetry = await TelemetryFixture.start({
      collector: 401,
      env: { OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret-of-the-collector', OTEL_METRIC_EXPORT_INTERVAL: '100' },
    })
    await expect
      .poll(async () => {
        expect((await telemetry.send('POST /v1/token')).status).toBe(200)
        return telemetry.exports.length
      })
      .toBeGreaterThan(5)
    expect(await stop(telemetry)).toBe(0)
    const lines = telemetry.server.stdout.split('\n').filter((line) => line.includes('could not export'))
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      {
        msg: expect.stringContaining('check OTEL_EXPORTER_OTLP_ENDPOINT'),
        status: 401,
        err: { name: 'OTLPExporterError' },
      },
    ])
    expect(telemetry.server.stdout + telemetry.server.stderr).not.toContain('secret-of-the-collector')
  })

  it('does not trace in an app that hosts the service', async () => {
    await using fixture = await ServiceFixture.start()
    const paths: string[] = []
    await using collector = await startOtlpReceiver(({ path }) => paths.push(path))
    // Settings of the app's own SDK, which the service does not support.
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_TRACES_SAMPLER: 'jaeger_remote',
      OTEL_METRIC_EXPORT_INTERVAL: '100',
    }
    const app = fastify()
    const log = createLog('error', { write: () => {} })
    await app.register(tokenService, { ...readPluginSettings({ ...fixture.env, ...env }), log })
    expect(await app.inject('/v1/identity')).toMatchObject({ statusCode: 401 })
    await app.close()
    expect(paths).toEqual([])
  })
})

import { expect, it } from 'vitest'
import { TelemetryFixture } from './telemetry-fixture.ts'

interface Metric {
  readonly name: string
  readonly unit: string
  readonly sum?: {
    readonly dataPoints: readonly Point[]
    readonly isMonotonic: boolean
    readonly aggregationTemporality: number
  }
  readonly gauge?: { readonly dataPoints: readonly Point[] }
  readonly histogram?: { readonly dataPoints: readonly Point[]; readonly aggregationTemporality: number }
}

interface Point {
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[]
  readonly asDouble?: number
  readonly count?: number
  readonly sum?: number
  readonly bucketCounts?: readonly number[]
  readonly explicitBounds?: readonly number[]
}

const cumulative = 2

/** Returns the metrics of the last export. */
function readMetrics({ exports }: TelemetryFixture): readonly Metric[] {
  const body = exports.findLast(({ path }) => path === '/v1/metrics')?.body.toString()
  if (body === undefined) return []
  const { resourceMetrics } = JSON.parse(body) as { resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[] }
  return resourceMetrics[0]!.scopeMetrics[0]!.metrics
}

function toLabels({ attributes }: Point): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}

it('exports the values of the Prometheus metrics', async () => {
  await using telemetry = await TelemetryFixture.start({
    env: { METRICS_PORT: '0', OTEL_METRIC_EXPORT_INTERVAL: '100' },
  })
  for (let count = 0; count < 3; count++) await telemetry.send('POST /v1/token')
  await telemetry.send('GET /v1/identity', { token: null })
  const find = (name: string) => readMetrics(telemetry).find((metric) => metric.name === name)
  const findRequests = () =>
    find('http.server.request.duration')?.histogram?.dataPoints.find(
      (point) => toLabels(point)['http.route'] === '/v1/token',
    )
  await expect.poll(() => findRequests()?.count).toBe(3)

  const address = /"metricsAddress":"([^"]+)"/.exec(telemetry.server.stdout)![1]!
  const prometheus = await (await fetch(`${address}/metrics`)).text()
  const read = (name: string) =>
    Number(
      prometheus
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    )
  const labels = 'method="POST",route="/v1/token",status="200"'
  const requests = findRequests()!
  expect(toLabels(requests)).toEqual({
    'http.request.method': 'POST',
    'http.route': '/v1/token',
    'http.response.status_code': 200,
  })
  expect(requests.sum).toBe(read(`http_request_duration_seconds_sum{${labels}}`))
  expect(requests.explicitBounds).toEqual([0.001, 0.005, 0.025, 0.1, 0.5, 1, 5])
  expect(requests.bucketCounts).toHaveLength(8)
  let total = 0
  for (const [index, bound] of [...requests.explicitBounds!, '+Inf'].entries()) {
    total += requests.bucketCounts![index]!
    expect(total).toBe(read(`http_request_duration_seconds_bucket{le="${bound}",${labels}}`))
  }
  expect(find('http.server.request.duration')).toMatchObject({
    unit: 's',
    histogram: { aggregationTemporality: cumulative },
  })
  expect(find('cached_users')!.gauge!.dataPoints).toMatchObject([{ asDouble: 1 }])
  expect(find('communication_attempts_total')!.sum).toMatchObject({
    isMonotonic: true,
    aggregationTemporality: cumulative,
  })
  const keys = find('communication_key_accepted')!.gauge!.dataPoints
  expect(keys.map((point) => [toLabels(point), point.asDouble])).toEqual([[{ key: 'primary' }, 1]])

  // What the process waits for changes between two readings. Other metrics are missing until they have a value.
  const isStable = (name: string) => !name.startsWith('nodejs_active_') && name !== 'nodejs_gc_duration_seconds'
  const names = [...prometheus.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name!).filter(isStable)
  const exported = readMetrics(telemetry).map(({ name }) => name)
  expect(new Set(exported.filter(isStable))).toEqual(
    new Set(names.map((name) => name.replace('http_request_duration_seconds', 'http.server.request.duration'))),
  )
})

it('exports metrics without a Prometheus listener', async () => {
  await using telemetry = await TelemetryFixture.start({ env: { OTEL_METRIC_EXPORT_INTERVAL: '100' } })
  await expect.poll(() => readMetrics(telemetry).map(({ name }) => name)).toContain('cached_users')
  expect(telemetry.server.stdout).not.toContain('metricsAddress')
})

import { ValueType, type Attributes, type HrTime } from '@opentelemetry/api'
import { millisToHrTime } from '@opentelemetry/core'
import type { Resource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  DataPointType,
  type DataPoint,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics'
import type { Registry } from 'prom-client'

interface PrometheusMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly PrometheusValue[]
}

interface PrometheusValue {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  /** Suffixed name of the parts of a histogram. */
  readonly metricName?: string
}

/** Names of OpenTelemetry's conventions. All other metrics and labels keep their name. */
const conventions: Readonly<Record<string, string>> = {
  http_request_duration_seconds: 'http.server.request.duration',
  method: 'http.request.method',
  route: 'http.route',
  status: 'http.response.status_code',
}

/** Exports the Prometheus metrics, which are read only when they are exported. */
export function createRegistryProducer(registry: Registry, resource: Resource): MetricProducer {
  const startTime = millisToHrTime(Date.now() - performance.now())
  return {
    async collect() {
      const found = (await registry.getMetricsAsJSON()) as unknown as readonly PrometheusMetric[]
      const span = { startTime, endTime: millisToHrTime(Date.now()) }
      const metrics = found.filter(({ values }) => values.length > 0).map((metric) => toMetricData(metric, span))
      return { resourceMetrics: { resource, scopeMetrics: [{ scope: { name: 'acs-kit' }, metrics }] }, errors: [] }
    },
  }
}

interface Times {
  readonly startTime: HrTime
  readonly endTime: HrTime
}

function toMetricData({ name, help, type, values }: PrometheusMetric, times: Times): MetricData {
  const base = {
    descriptor: {
      name: conventions[name] ?? name,
      description: help,
      unit: /_seconds(?:_total)?$/.test(name) ? 's' : name.endsWith('_bytes') ? 'By' : '',
      valueType: ValueType.DOUBLE,
    },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  }
  if (type === 'histogram') {
    return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints: toHistograms(name, values, times) }
  }
  const dataPoints = values.map(({ value, labels }) => ({ ...times, attributes: toAttributes(labels), value }))
  if (type === 'counter') return { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
  return { ...base, dataPointType: DataPointType.GAUGE, dataPoints }
}

/** Combines the values with the same labels: cumulative buckets, ending with +Inf, then sum and count. */
function toHistograms(name: string, values: readonly PrometheusValue[], times: Times): DataPoint<Histogram>[] {
  const histograms = new Map<string, DataPoint<Histogram>>()
  for (const { metricName, value, labels } of values) {
    const { le, ...rest } = labels
    const key = JSON.stringify(rest)
    let point = histograms.get(key)
    if (!point) {
      const empty = { buckets: { boundaries: [], counts: [] }, sum: 0, count: 0 }
      histograms.set(key, (point = { ...times, attributes: toAttributes(rest), value: empty }))
    }
    const { value: histogram } = point
    if (metricName === `${name}_sum`) histogram.sum = value
    else if (metricName === `${name}_count`) histogram.count = value
    else {
      const { boundaries, counts } = histogram.buckets
      counts.push(value - counts.reduce((sum, count) => sum + count, 0))
      if (typeof le === 'number') boundaries.push(le)
    }
  }
  return [...histograms.values()]
}

function toAttributes(labels: PrometheusValue['labels']): Attributes {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [conventions[name] ?? name, value]))
}

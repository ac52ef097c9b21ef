import type { Settings } from '@acs-kit/service-settings'
import { ExportResultCode, type ExportResult } from '@opentelemetry/core'
import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as ProtobufMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import type { Log } from '../log.ts'

/** Minimum interval between two log lines about failed exports. */
const reportIntervalMs = 5 * 60_000

interface Exporter<Items> {
  export(items: Items, done: (result: ExportResult) => void): void
  forceFlush(): Promise<void>
  shutdown(): Promise<void>
}

/** Creates the exporters of traces and metrics. They log failures, since the SDK reports these only to a logger of its own. */
export function createExporters(settings: Settings, log: Log) {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers } = settings
  const isJson = settings.OTEL_EXPORTER_OTLP_PROTOCOL === 'http/json'
  const traces = { url: `${endpoint}/v1/traces`, headers }
  const metrics = { url: `${endpoint}/v1/metrics`, headers }
  let reportedAt = -Infinity

  function report(error: unknown): void {
    const time = performance.now()
    if (time - reportedAt < reportIntervalMs) return
    reportedAt = time
    // The status of the collector's response. Its text could repeat the headers.
    const { code } = (error ?? {}) as { readonly code?: unknown }
    const status = typeof code === 'number' ? code : undefined
    log.warn(
      { err: error, status },
      'could not export traces or metrics: check OTEL_EXPORTER_OTLP_ENDPOINT and its collector',
    )
  }

  function reporting<Items>(exporter: Exporter<Items>): Exporter<Items> {
    return {
      export: (items, done) =>
        exporter.export(items, (result) => {
          if (result.code !== ExportResultCode.SUCCESS) report(result.error)
          done(result)
        }),
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    }
  }

  return {
    traces: reporting(isJson ? new JsonTraceExporter(traces) : new ProtobufTraceExporter(traces)),
    metrics: reporting(isJson ? new JsonMetricExporter(metrics) : new ProtobufMetricExporter(metrics)),
  }
}

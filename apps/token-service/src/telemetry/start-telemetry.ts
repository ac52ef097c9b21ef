import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Settings } from '@acs-kit/service-settings'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace'
import type { FastifyInstance } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import type { Log } from '../log.ts'
import type { Telemetry } from '../service-options.ts'
import { createExporters } from './exporters.ts'
import { createRegistryProducer } from './registry-producer.ts'
import { traceRequests } from './request-spans.ts'
import { traceSteps } from './step-spans.ts'

/** Maximum delay of a shutdown by the last exports. */
const flushTimeoutMs = 2000

/**
 * Exports traces and metrics with OpenTelemetry's SDK. Loaded only if `OTEL_EXPORTER_OTLP_ENDPOINT` is set, so that nothing else
 * may import this folder. Sets no globals: an app that hosts the service keeps its own.
 *
 * @returns A plugin, to be registered before the hooks and routes that it measures.
 */
export function startTelemetry(settings: Settings, log: Log): Telemetry {
  const exporters = createExporters(settings, log)
  const resource = defaultResource().merge(
    resourceFromAttributes({
      'service.instance.id': randomUUID(),
      ...settings.OTEL_RESOURCE_ATTRIBUTES,
      'service.name': settings.OTEL_SERVICE_NAME,
    }),
  )
  const provider = new TracerProvider({
    resource,
    sampler: createSampler(settings),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: exporters.traces, scheduledDelayMillis: settings.OTEL_BSP_SCHEDULE_DELAY }),
    ],
  })
  const reader = new PeriodicExportingMetricReader({
    exporter: exporters.metrics,
    exportIntervalMillis: settings.OTEL_METRIC_EXPORT_INTERVAL,
  })

  const plugin = fastifyPlugin(
    async (app: FastifyInstance) => {
      const tracer = provider.getTracer('acs-kit')
      const steps = traceSteps(tracer)
      const requests = traceRequests(app, tracer, steps.context)
      app.addHook('onReady', async () => {
        reader.setMetricProducer(createRegistryProducer(app.metrics!.registry, resource))
      })
      app.addHook('onClose', async () => {
        steps.stop()
        requests.stop()
        // The exporters have reported failures.
        const flushed = Promise.allSettled([provider.shutdown(), reader.shutdown()])
        await Promise.race([flushed, sleep(flushTimeoutMs, undefined, { ref: false })])
      })
    },
    { name: 'telemetry' },
  )
  return { plugin }
}

function createSampler({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio }: Settings): Sampler {
  const root = name.endsWith('always_on')
    ? new AlwaysOnSampler()
    : name.endsWith('always_off')
      ? new AlwaysOffSampler()
      : new TraceIdRatioBasedSampler(ratio)
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

/** Creates the Prometheus metrics of the service. Gauges read the app's decorators when they are scraped. */
export function createMetrics(app: Pick<FastifyInstance, 'communication' | 'identities' | 'userTokens'>) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  function addGauge(name: string, help: string, labelNames: string[], read: (gauge: Gauge) => void): void {
    const gauge: Gauge = new Gauge({ name, help, labelNames, registers: [], collect: () => read(gauge) })
    registry.registerMetric(gauge)
  }

  addGauge('cached_users', 'Users whose tokens are cached', [], (gauge) => gauge.set(app.userTokens.countUsers()))
  addGauge(
    'communication_circuit_open',
    '1 while the circuit breaker holds back requests to Azure Communication Services',
    [],
    (gauge) => gauge.set(Number(app.communication.isCircuitOpen())),
  )
  addGauge(
    'communication_key_accepted',
    '1 for an access key that Azure Communication Services accepts',
    ['key'],
    (gauge) => {
      for (const { name, isRejected } of app.communication.keys) gauge.set({ key: name }, Number(!isRejected))
    },
  )
  addGauge(
    'journal_entries',
    'Journal entries by kind; `lost`: an unused identity may remain in Azure Communication Services',
    ['kind'],
    (gauge) => {
      for (const [kind, count] of Object.entries(app.identities.reaper.counts)) gauge.set({ kind }, count)
    },
  )

  return {
    registry,
    /** Address of the metrics listener, once it listens. */
    address: undefined as string | undefined,
    requests: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Duration of requests, by route and status',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5],
      registers,
    }),
    communicationAttempts: new Counter({
      name: 'communication_attempts_total',
      help: 'Requests to Azure Communication Services, including retries',
      labelNames: ['operation'],
      registers,
    }),
  }
}

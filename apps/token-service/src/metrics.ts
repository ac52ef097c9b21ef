import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, type GaugeConfiguration } from 'prom-client'

/** Prometheus metrics of the service. */
export class Metrics {
  /** Where they are served, once they are. */
  address: string | undefined
  readonly registry = new Registry()
  readonly requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of requests, by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5],
    registers: [this.registry],
  })
  readonly communicationAttempts = new Counter({
    name: 'communication_attempts_total',
    help: 'Requests to Azure Communication Services, including retries',
    labelNames: ['operation'],
    registers: [this.registry],
  })

  /** Gauges read the app's decorators when they are scraped. */
  constructor(app: Pick<FastifyInstance, 'communication' | 'identities' | 'userTokens'>) {
    collectDefaultMetrics({ register: this.registry })
    this.#addGauge({
      name: 'cached_users',
      help: 'Users whose tokens are cached',
      collect() {
        this.set(app.userTokens.countUsers())
      },
    })
    this.#addGauge({
      name: 'communication_circuit_open',
      help: '1 while the circuit breaker holds back requests to Azure Communication Services',
      collect() {
        this.set(Number(app.communication.isCircuitOpen()))
      },
    })
    this.#addGauge({
      name: 'communication_key_accepted',
      help: '1 for an access key that Azure Communication Services accepts',
      labelNames: ['key'],
      collect() {
        for (const { name, isRejected } of app.communication.keys) this.set({ key: name }, Number(!isRejected))
      },
    })
    this.#addGauge({
      name: 'journal_entries',
      help: 'Journal entries by kind; `lost`: an unused identity may remain in Azure Communication Services',
      labelNames: ['kind'],
      collect() {
        for (const [kind, count] of Object.entries(app.identities.reaper.counts)) this.set({ kind }, count)
      },
    })
  }

  #addGauge<Label extends string>(gauge: GaugeConfiguration<Label>): void {
    this.registry.registerMetric(new Gauge({ ...gauge, registers: [] }))
  }
}

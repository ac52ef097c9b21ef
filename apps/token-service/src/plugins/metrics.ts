import { fastifyPlugin } from 'fastify-plugin'
import fastify, { type FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, type GaugeConfiguration } from 'prom-client'
import type { Communication } from '../communication/communication.ts'
import type { Reaper } from '../identities/reaper.ts'
import type { UserTokens } from '../tokens/user-tokens.ts'

/** What is counted, in Prometheus' terms. */
export class Metrics {
  readonly registry = new Registry()
  readonly requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Requests, by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5],
    registers: [this.registry],
  })
  readonly communicationAttempts = new Counter({
    name: 'communication_attempts_total',
    help: 'Requests to Azure Communication Services, repetitions included',
    labelNames: ['operation'],
    registers: [this.registry],
  })

  /** Adds what the parts of the service know about themselves. */
  observe(parts: { userTokens: UserTokens; communication: Communication; reaper: Reaper }): void {
    collectDefaultMetrics({ register: this.registry })
    this.#gauge('cached_users', 'Users whose tokens are cached', () => parts.userTokens.cachedUsers)
    this.#gauge('communication_circuit_open', '1 while the circuit breaker keeps requests back', () =>
      Number(parts.communication.isBroken),
    )
    this.#register({
      name: 'communication_key_accepted',
      help: '1 for an access key that the service accepts',
      labelNames: ['key'],
      collect() {
        for (const { name, isDead } of parts.communication.keys) this.set({ key: name }, Number(!isDead))
      },
    })
    this.#register({
      name: 'journal_entries',
      help: 'Journal entries by kind; `lost`: an unused identity may remain at ACS',
      labelNames: ['kind'],
      collect() {
        for (const [kind, count] of Object.entries(parts.reaper.counts)) this.set({ kind }, count)
      },
    })
  }

  #gauge(name: string, help: string, read: () => number): void {
    this.#register({
      name,
      help,
      collect() {
        this.set(read())
      },
    })
  }

  #register<Label extends string>(gauge: GaugeConfiguration<Label>): void {
    this.registry.registerMetric(new Gauge({ ...gauge, registers: [] }))
  }
}

/** Measures every request of an app. */
export const measured = fastifyPlugin(
  async (app, { metrics }: { readonly metrics: Metrics }) => {
    app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
      const route = routeOptions.url ?? 'none'
      metrics.requests.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
    })
  },
  { name: 'measured' },
)

/** The private listener. */
export function buildMetricsApp({ registry }: Metrics): FastifyInstance {
  const app = fastify()
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
  return app
}

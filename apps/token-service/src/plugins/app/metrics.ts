import fastify from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import type { Metrics } from '../../metrics.ts'
import { schemaController } from '../external/typebox.ts'
import type { ServiceOptions } from '../../service-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined without METRICS_PORT and telemetry. */
    metrics: Metrics | undefined
  }
}

/** Decorates the app with `metrics`, measures its requests, and serves Prometheus on a separate listener if it has a port. */
export const metrics = fastifyPlugin(
  async (app, { settings: { METRICS_HOST: host, METRICS_PORT: port }, telemetry }: ServiceOptions) => {
    if (port === undefined && telemetry === undefined) return void app.decorate('metrics', undefined)
    const { createMetrics } = await import('../../metrics.ts')
    const metrics = createMetrics(app)
    app.decorate('metrics', metrics)

    app.addHook('onResponse', ({ method, routeOptions }, reply, done) => {
      const route = routeOptions.url ?? 'none'
      metrics.requests.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
      done()
    })
    if (port === undefined) return
    const listener = fastify({ schemaController })
    const { registry } = metrics
    listener.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
    app.addHook('onReady', async () => {
      metrics.address = await listener.listen({ host, port })
    })
    app.addHook('onClose', () => listener.close())
  },
  { name: 'metrics' },
)

import { fastifyPlugin } from 'fastify-plugin'
import { createHealthMonitor, type HealthMonitor } from '../../health-monitor.ts'
import { repeatWhileListening } from '../../repeat.ts'
import type { ServiceOptions } from '../../service-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    health: HealthMonitor
  }
}

const readyPauseMs = 30_000
/** Shorter, so that the service is ready soon after the store and Azure are reachable again. */
const notReadyPauseMs = 2000

/** Decorates the app with `health`, and checks it while the app listens. */
export const health = fastifyPlugin(
  async (app, { log }: ServiceOptions) => {
    const monitor = createHealthMonitor(app.identities.store, app.communication, log)
    app.decorate('health', monitor)
    repeatWhileListening(app, async () => {
      await monitor.check()
      return monitor.state.status === 'ready' ? readyPauseMs : notReadyPauseMs
    })
  },
  { name: 'health', dependencies: ['identities'] },
)

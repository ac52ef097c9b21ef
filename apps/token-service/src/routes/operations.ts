import openApi from '@acs-kit/token-contract/openapi.json' with { type: 'json' }
import { routes } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { HealthMonitor } from '../health-monitor.ts'

export const operationRoutes: FastifyPluginAsyncTypebox<{ readonly health: HealthMonitor }> = async (
  app,
  { health },
) => {
  const document = JSON.stringify(openApi)
  app.route({ ...routes.health, handler: async () => ({ status: 'ok' as const }) })
  app.route({
    ...routes.ready,
    handler: async (_request, reply) => {
      const { state } = health
      return reply.code(state.status === 'ready' ? 200 : 503).send(state)
    },
  })
  app.get(routes.openApi.url, async (_request, reply) => reply.type('application/json').send(document))
}

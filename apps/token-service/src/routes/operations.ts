import openApi from '@acs-kit/token-contract/openapi.json' with { type: 'json' }
import { routes } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'

export const operationRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const document = JSON.stringify(app.prefix === '' ? openApi : { ...openApi, servers: [{ url: app.prefix }] })
  app.route({ ...routes.health, handler: async () => ({ status: 'ok' as const }) })
  app.route({
    ...routes.ready,
    handler: async (_request, reply) => {
      const { state } = app.health
      return reply.code(state.status === 'ready' ? 200 : 503).send(state)
    },
  })
  app.get(routes.openApi.url, async (_request, reply) => reply.type('application/json').send(document))
}

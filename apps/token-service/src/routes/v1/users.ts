import { routes } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ProblemError } from '../../problems/problem-error.ts'
import { toResponse } from './identity.ts'
import { remove } from './removal.ts'

/** Only for administrators: support and erasure. */
export const userRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', async ({ principal }) => {
    if (!principal.isAdmin) {
      throw new ProblemError('permission-missing', "The token lacks the administrators' app role.")
    }
  })

  app.route({
    ...routes.listUsers,
    handler: async ({ query: { limit = 100, cursor, subject }, principal, log }) => {
      const page = await app.identities.store.list({ limit, cursor, subject })
      // Only for a search, which finds few: a page of all users may be too long for a log line.
      const found = subject !== undefined && { userKeys: page.users.map(({ userKey }) => userKey) }
      log.info({ audit: 'list', by: principal.userKey, count: page.users.length, ...found })
      return {
        users: page.users.map((identity) => ({
          userKey: identity.userKey,
          issuer: identity.issuer,
          subject: identity.subject,
          ...toResponse(identity),
        })),
        ...(page.cursor !== undefined && { cursor: page.cursor }),
      }
    },
  })

  app.route({
    ...routes.revokeUserTokens,
    handler: async (request, reply) => {
      const user = { userKey: request.params.userKey, by: request.principal.userKey }
      return reply.code(await remove('revoke', request, user)).send(null)
    },
  })

  app.route({
    ...routes.deleteUser,
    handler: async (request, reply) => {
      const user = { userKey: request.params.userKey, by: request.principal.userKey }
      return reply.code(await remove('delete', request, user)).send(null)
    },
  })
}

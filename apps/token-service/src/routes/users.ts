import { routes } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ProblemError } from '../problem-error.ts'
import { toResponse, type IdentityRoutesOptions } from './identity.ts'

/** For administrators: support and erasure. */
export const userRoutes: FastifyPluginAsyncTypebox<IdentityRoutesOptions> = async (
  app,
  { store, userTokens, removal },
) => {
  app.addHook('onRequest', async ({ principal }) => {
    if (!principal.isAdmin) {
      throw new ProblemError('permission-missing', "The token lacks the administrators' app role.")
    }
  })

  app.route({
    ...routes.listUsers,
    handler: async ({ query: { limit = 100, cursor, subject }, principal, log }) => {
      const page = await store.list({ limit, cursor, subject })
      // A page of all users may be too long for a line; a search finds few.
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
    handler: async ({ params: { userKey }, principal, log }, reply) => {
      const outcome = await removal.start('revoke', userKey, () => userTokens.drop(userKey))
      log.info({ audit: 'revoke', userKey, by: principal.userKey, outcome })
      return reply.code(outcome === 'done' ? 204 : 202).send(null)
    },
  })

  app.route({
    ...routes.deleteUser,
    handler: async ({ params: { userKey }, principal, log }, reply) => {
      const outcome = await removal.start('delete', userKey, () => userTokens.drop(userKey))
      log.info({ audit: 'delete', userKey, by: principal.userKey, outcome })
      return reply.code(outcome === 'done' ? 204 : 202).send(null)
    },
  })
}

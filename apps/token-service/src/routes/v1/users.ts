import { routes } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireAdministrator } from './administrators.ts'
import { toResponse } from './identity.ts'
import { createRemoval } from './removal.ts'

/** Routes for administrators: support and erasure. */
export const userRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', requireAdministrator)

  app.route({
    ...routes.listUsers,
    handler: async ({ query: { limit = 100, cursor, subject }, principal, log }) => {
      const page = await app.identities.store.list({ limit, cursor, subject })
      // Logs the keys only of a search, which finds few users: a page of all users may be too long for a log line.
      const found = subject !== undefined && { userKeys: page.users.map(({ userKey }) => userKey) }
      log.info({ audit: 'list', by: principal.userKey, count: page.users.length, ...found })
      for (const row of page.invalidKeys) {
        log.warn({ row }, 'skipped an invalid row of the mapping table: correct or delete it')
      }
      return {
        users: page.users.map((identity) => {
          const { userKey, issuer, subject } = identity
          return { userKey, issuer, subject, ...toResponse(identity) }
        }),
        ...(page.cursor !== undefined && { cursor: page.cursor }),
      }
    },
  })

  app.route({ ...routes.revokeUserTokens, handler: createRemoval('revoke') })
  app.route({ ...routes.deleteUser, handler: createRemoval('delete') })
}

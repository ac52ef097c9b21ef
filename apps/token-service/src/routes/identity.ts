import { routes, type IdentityResponse } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { IdentityStore, UserIdentity } from '../identities/identity-store.ts'
import type { Removal } from '../identities/removal.ts'
import { ProblemError } from '../problem-error.ts'
import type { UserTokens } from '../tokens/user-tokens.ts'

export interface IdentityRoutesOptions {
  readonly store: IdentityStore
  readonly userTokens: UserTokens
  readonly removal: Removal
}

export const identityRoutes: FastifyPluginAsyncTypebox<IdentityRoutesOptions> = async (
  app,
  { store, userTokens, removal },
) => {
  app.route({
    ...routes.getIdentity,
    handler: async ({ principal: { userKey }, log }) => {
      const identity = await store.find(userKey)
      if (!identity) throw new ProblemError('identity-unknown', 'The first token creates it.')
      log.info({ audit: 'read', userKey })
      return toResponse(identity)
    },
  })

  app.route({
    ...routes.deleteIdentity,
    handler: async ({ principal: { userKey }, log }, reply) => {
      const outcome = await removal.start('delete', userKey, () => userTokens.drop(userKey))
      log.info({ audit: 'delete', userKey, outcome })
      return reply.code(outcome === 'done' ? 204 : 202).send(null)
    },
  })
}

export function toResponse({ communicationUserId, createdOn, tokensValidFrom }: UserIdentity): IdentityResponse {
  return {
    communicationUserId,
    createdOn: createdOn.toISOString(),
    ...(tokensValidFrom && { tokensValidFrom: tokensValidFrom.toISOString() }),
  }
}

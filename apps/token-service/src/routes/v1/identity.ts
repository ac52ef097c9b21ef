import { routes, type IdentityResponse } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { UserIdentity } from '../../identities/identity-store.ts'
import { ProblemError } from '../../problems/problem-error.ts'
import { createRemoval } from './removal.ts'

export const identityRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    ...routes.getIdentity,
    handler: async ({ principal: { userKey }, log }) => {
      const identity = await app.identities.store.find(userKey)
      if (!identity) throw new ProblemError('identity-unknown', 'Request a token to create the identity.')
      log.info({ audit: 'read', userKey })
      return toResponse(identity)
    },
  })

  app.route({ ...routes.deleteIdentity, handler: createRemoval('delete') })
}

export function toResponse({ communicationUserId, createdOn, tokensValidFrom }: UserIdentity): IdentityResponse {
  return {
    communicationUserId,
    createdOn: createdOn.toISOString(),
    ...(tokensValidFrom && { tokensValidFrom: tokensValidFrom.toISOString() }),
  }
}

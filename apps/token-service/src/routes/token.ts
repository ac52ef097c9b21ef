import { routes } from '@acs-kit/token-contract'
import type { ScopePolicy } from '@acs-kit/service-settings'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Removal } from '../identities/removal.ts'
import { grant } from '../tokens/scope-policy.ts'
import type { UserTokens } from '../tokens/user-tokens.ts'

export interface TokenRoutesOptions {
  readonly userTokens: UserTokens
  readonly removal: Removal
  readonly policy: ScopePolicy
  /** Of the resource, for the SDKs' clients. */
  readonly endpoint: string
}

export const tokenRoutes: FastifyPluginAsyncTypebox<TokenRoutesOptions> = async (
  app,
  { userTokens, removal, policy, endpoint },
) => {
  app.route({
    ...routes.issueToken,
    handler: async (request) => {
      const { principal, body, log } = request
      const { refresh = false } = body
      const granted = grant(policy, principal.roles, body)
      const cached = refresh ? undefined : userTokens.cached(principal, granted)
      const issued = cached ?? (await userTokens.issue(principal, granted, { refresh }))
      const { userKey } = principal
      log.info({ audit: refresh ? 'refresh' : 'issue', userKey, scopes: granted.scopes, cached: cached !== undefined })
      return {
        communicationUserId: issued.communicationUserId,
        token: issued.token,
        expiresOn: issued.expiresOn.toISOString(),
        scopes: [...granted.scopes],
        endpoint,
      }
    },
  })

  app.route({
    ...routes.revokeTokens,
    handler: async ({ principal: { userKey }, log }, reply) => {
      const outcome = await removal.start('revoke', userKey, () => userTokens.drop(userKey))
      log.info({ audit: 'revoke', userKey, outcome })
      return reply.code(outcome === 'done' ? 204 : 202).send(null)
    },
  })
}

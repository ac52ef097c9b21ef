import { routes } from '@acs-kit/token-contract'
import type { ScopePolicy } from '@acs-kit/service-settings'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Removal } from '../identities/removal.ts'
import type { CachedToken } from '../tokens/cached-user.ts'
import { Granter } from '../tokens/scope-policy.ts'
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
  const granter = new Granter(policy)

  app.route({
    ...routes.issueToken,
    handler({ principal, body, log }) {
      const { refresh = false } = body
      const granted = granter.grant(principal.roles, body)
      const cached = refresh ? undefined : userTokens.cached(principal, granted)
      const answer = ({ identity, token, expiresOn }: CachedToken) => {
        const { userKey } = principal
        const scopes = granted.scopes.join(' ')
        log.info({ audit: refresh ? 'refresh' : 'issue', userKey, scopes, cached: cached !== undefined })
        const { communicationUserId } = identity
        return { communicationUserId, token, expiresOn, scopes: [...granted.scopes], endpoint }
      }
      return cached ? answer(cached) : userTokens.issue(principal, granted, { refresh }).then(answer)
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

import { routes } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { ServiceOptions } from '../../service-options.ts'
import type { CachedToken } from '../../tokens/cached-user.ts'
import { createGrants } from '../../tokens/scope-policy.ts'
import { createRemoval } from './removal.ts'

export const tokenRoutes: FastifyPluginAsyncTypebox<ServiceOptions> = async (app, { settings }) => {
  const { userTokens } = app
  const { endpoint } = app.communication
  const toGrant = createGrants(settings.SCOPE_POLICY)

  app.route({
    ...routes.issueToken,
    handler({ principal, body, log }) {
      const { refresh = false } = body
      const grant = toGrant(principal.roles, body)
      const cached = refresh ? undefined : userTokens.getCached(principal, grant)
      const toResponse = ({ identity, token, expiresOn }: CachedToken) => {
        const { userKey } = principal
        const scopes = grant.scopes.join(' ')
        log.info({ audit: refresh ? 'refresh' : 'issue', userKey, scopes, cached: cached !== undefined })
        const { communicationUserId } = identity
        return { communicationUserId, token, expiresOn, scopes: [...grant.scopes], endpoint }
      }
      return cached ? toResponse(cached) : userTokens.issue(principal, grant, { refresh }).then(toResponse)
    },
  })

  app.route({ ...routes.revokeTokens, handler: createRemoval('revoke') })
}

import { routes } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { explainRejection } from '../../communication/explain-rejection.ts'
import type { ServiceOptions } from '../../service-options.ts'
import { checkTeamsUserToken } from '../../tokens/teams-user-token.ts'

export const teamsRoutes: FastifyPluginAsyncTypebox<ServiceOptions> = async (app, { settings, now }) => {
  const { communication } = app
  app.route({
    ...routes.exchangeTeamsToken,
    handler: async ({ principal, body, log }) => {
      const clientId = settings.TEAMS_CLIENT_ID
      const teamsUserToken = checkTeamsUserToken(body.token, principal, { clientId, now: now() })
      const { token, expiresOn } = await communication
        .exchangeTeamsToken(teamsUserToken)
        .catch(explainRejection('teams-token-invalid'))
      log.info({ audit: 'exchange', userKey: principal.userKey })
      return { token, expiresOn: expiresOn.toISOString(), endpoint: communication.endpoint }
    },
  })
}

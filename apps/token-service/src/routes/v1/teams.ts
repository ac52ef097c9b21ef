import { CommunicationIdentityError } from '@acs-kit/communication-identity'
import { routes } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ProblemError } from '../../problems/problem-error.ts'
import type { ServiceOptions } from '../../service-options.ts'
import { checkTeamsUserToken } from '../../tokens/teams-user-token.ts'

export const teamsRoutes: FastifyPluginAsyncTypebox<ServiceOptions> = async (app, { settings, now }) => {
  const { communication } = app
  app.route({
    ...routes.exchangeTeamsToken,
    handler: async ({ principal, body, log }) => {
      const clientId = settings.TEAMS_CLIENT_ID
      const teamsUserToken = checkTeamsUserToken(body.token, principal, { clientId, now: now() })
      const { token, expiresOn } = await communication.exchangeTeamsToken(teamsUserToken).catch((error: unknown) => {
        const isRejected = error instanceof CommunicationIdentityError && error.code === 'invalid-request'
        if (isRejected) throw new ProblemError('teams-token-invalid', `Azure Communication Services: ${error.message}`)
        throw error
      })
      log.info({ audit: 'exchange', userKey: principal.userKey })
      return { token, expiresOn: expiresOn.toISOString(), endpoint: communication.endpoint }
    },
  })
}

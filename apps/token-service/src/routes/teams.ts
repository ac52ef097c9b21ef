import { CommunicationIdentityError } from '@acs-kit/communication-identity'
import { routes } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Communication } from '../communication/communication.ts'
import { ProblemError } from '../problem-error.ts'
import { checkTeamsUserToken } from '../tokens/teams-user-token.ts'

export interface TeamsRoutesOptions {
  readonly communication: Communication
  /** Application that Teams users' tokens are issued to. */
  readonly clientId: string | undefined
  readonly now: () => number
}

export const teamsRoutes: FastifyPluginAsyncTypebox<TeamsRoutesOptions> = async (
  app,
  { communication, clientId, now },
) => {
  app.route({
    ...routes.exchangeTeamsToken,
    handler: async ({ principal, body, log }) => {
      const teamsUserToken = checkTeamsUserToken(body.token, principal, { clientId, now: now() })
      const { token, expiresOn } = await communication.exchangeTeamsToken(teamsUserToken).catch((error: unknown) => {
        const isRefused = error instanceof CommunicationIdentityError && error.code === 'invalid-request'
        if (isRefused) throw new ProblemError('teams-token-invalid', `Azure Communication Services: ${error.message}`)
        throw error
      })
      log.info({ audit: 'exchange', userKey: principal.userKey })
      return { token, expiresOn: expiresOn.toISOString(), endpoint: communication.endpoint }
    },
  })
}

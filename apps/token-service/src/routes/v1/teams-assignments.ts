import { toUserKey } from '@acs-kit/service-settings'
import { routes } from '@acs-kit/token-contract'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { explainRejection } from '../../communication/explain-rejection.ts'
import { ProblemError } from '../../problems/problem-error.ts'
import type { ServiceOptions } from '../../service-options.ts'
import { requireAdministrator } from './administrators.ts'

/** Azure rejects a request for an unknown tenant, for example. */
const explain = explainRejection('request-invalid')

/** Routes for administrators, who assign principals of the tenant for Teams Phone extensibility. */
export const teamsAssignmentRoutes: FastifyPluginAsyncTypebox<ServiceOptions> = async (app, { settings }) => {
  const { communication } = app
  app.addHook('onRequest', requireAdministrator)

  app.route({
    ...routes.getTeamsAssignment,
    handler: async ({ params, principal, log }) => {
      const { target, user } = locate(params)
      const assignment = await communication.getTeamsAssignment(target).catch(explain)
      if (!assignment) throw new ProblemError('assignment-unknown', 'Create the assignment with PUT.')
      log.info({ audit: 'read', ...user, by: principal.userKey })
      return { ...target, ...assignment, clientIds: [...assignment.clientIds] }
    },
  })

  app.route({
    ...routes.putTeamsAssignment,
    handler: async ({ params, body: { principalType = 'user' }, principal, log }) => {
      const { target, user, clientIds } = locate(params)
      const assignment = await communication.putTeamsAssignment(target, { principalType, clientIds }).catch(explain)
      log.info({ audit: 'assign', ...user, by: principal.userKey, principalType })
      return { ...target, ...assignment, clientIds: [...assignment.clientIds] }
    },
  })

  app.route({
    ...routes.deleteTeamsAssignment,
    handler: async ({ params, principal, log }, reply) => {
      const { target, user } = locate(params)
      await communication.deleteTeamsAssignment(target).catch(explain)
      log.info({ audit: 'unassign', ...user, by: principal.userKey })
      reply.code(204)
      return null
    },
  })

  /** Adds the tenant and the applications of the settings, which requests cannot change. */
  function locate(params: { readonly objectId: string }) {
    const { TEAMS_EXTENSION: extension } = settings
    if (!extension) throw new ProblemError('teams-unavailable', 'Set TEAMS_EXTENSION of the service.')
    const { tenantId, clientIds } = extension
    const objectId = params.objectId.toLowerCase()
    return { target: { tenantId, objectId }, clientIds, user: { userKey: toUserKey('entra', tenantId, objectId) } }
  }
}

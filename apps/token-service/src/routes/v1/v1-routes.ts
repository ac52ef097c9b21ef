import type { FastifyInstance } from 'fastify'
import { authentication } from '../../plugins/app/authentication.ts'
import type { ServiceOptions } from '../../service-options.ts'
import { identityRoutes } from './identity.ts'
import { teamsAssignmentRoutes } from './teams-assignments.ts'
import { teamsRoutes } from './teams.ts'
import { tokenRoutes } from './token.ts'
import { userRoutes } from './users.ts'

/** The routes that need a sign-in. */
export async function v1Routes(app: FastifyInstance, options: ServiceOptions): Promise<void> {
  await app.register(authentication, options)
  const all = [tokenRoutes, identityRoutes, teamsRoutes, teamsAssignmentRoutes, userRoutes]
  for (const routes of all) await app.register(routes, options)
}

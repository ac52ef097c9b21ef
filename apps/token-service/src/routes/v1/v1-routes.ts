import type { FastifyInstance } from 'fastify'
import { authentication } from '../../plugins/app/authentication.ts'
import type { ServiceOptions } from '../../service-options.ts'
import { identityRoutes } from './identity.ts'
import { teamsRoutes } from './teams.ts'
import { tokenRoutes } from './token.ts'
import { userRoutes } from './users.ts'

/** The routes that need a sign-in. */
export async function v1Routes(app: FastifyInstance, options: ServiceOptions): Promise<void> {
  await app.register(authentication, options)
  for (const routes of [tokenRoutes, identityRoutes, teamsRoutes, userRoutes]) await app.register(routes, options)
}

import { fastifyPlugin } from 'fastify-plugin'
import type { ServiceOptions } from '../../service-options.ts'
import { UserTokens } from '../../tokens/user-tokens.ts'

declare module 'fastify' {
  interface FastifyInstance {
    userTokens: UserTokens
  }
}

/** Decorates the app with `userTokens`, the cache of all users' tokens. */
export const userTokens = fastifyPlugin(
  async (app, { settings, log, now, random }: ServiceOptions) => {
    const { communication, backgroundTasks } = app
    const { store, firstLogin } = app.identities
    app.decorate(
      'userTokens',
      new UserTokens({
        store,
        firstLogin,
        communication,
        backgroundTasks,
        now,
        random,
        revocationBoundMs: settings.REVOCATION_BOUND_SECONDS * 1000,
        resourceId: settings.COMMUNICATION_SERVICES_RESOURCE_ID,
        replaceForeignIdentities: settings.REMAP_FOREIGN_IDENTITIES,
        log,
      }),
    )
  },
  { name: 'user-tokens', dependencies: ['identities'] },
)

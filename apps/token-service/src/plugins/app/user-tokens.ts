import { fastifyPlugin } from 'fastify-plugin'
import type { ServiceOptions } from '../../service-options.ts'
import { createUserTokens, type UserTokens } from '../../tokens/user-tokens.ts'

declare module 'fastify' {
  interface FastifyInstance {
    userTokens: UserTokens
  }
}

/** Decorates the app with `userTokens`, the cache of all users' tokens. */
export const userTokens = fastifyPlugin(
  async (app, options: ServiceOptions) => {
    const { communication, backgroundTasks } = app
    const { store, firstLogin } = app.identities
    app.decorate('userTokens', createUserTokens({ ...options, store, firstLogin, communication, backgroundTasks }))
  },
  { name: 'user-tokens', dependencies: ['identities'] },
)

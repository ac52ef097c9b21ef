import { fastifyPlugin } from 'fastify-plugin'
import type { ServiceOptions } from '../../service-options.ts'
import { createSignIn, type SignIn } from '../../sign-in/sign-in.ts'

declare module 'fastify' {
  interface FastifyInstance {
    signIn: SignIn
  }
}

/** Decorates the app with `signIn`, which verifies sign-in tokens. */
export const signIn = fastifyPlugin(
  async (app, { settings, now }: ServiceOptions) => {
    app.decorate('signIn', createSignIn(settings, now))
  },
  { name: 'sign-in' },
)

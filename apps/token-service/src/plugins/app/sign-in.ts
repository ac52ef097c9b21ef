import { fastifyPlugin } from 'fastify-plugin'
import type { ServiceOptions } from '../../service-options.ts'
import { SignIn } from '../../sign-in/sign-in.ts'

declare module 'fastify' {
  interface FastifyInstance {
    signIn: SignIn
  }
}

/** Decorates the app with `signIn`, which verifies sign-in tokens. */
export const signIn = fastifyPlugin(
  async (app, { settings, now }: ServiceOptions) => {
    const reuseMs = settings.REVOCATION_BOUND_SECONDS * 1000
    app.decorate('signIn', new SignIn(settings.SIGN_IN_ISSUERS, { now, reuseMs }))
  },
  { name: 'sign-in' },
)

import type { FastifyRequest } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { ProblemError } from '../../problems/problem-error.ts'
import { createRateLimit } from '../../rate-limit.ts'
import type { ServiceOptions } from '../../service-options.ts'
import { runStep } from '../../steps.ts'
import type { VerifiedPrincipal } from '../../sign-in/sign-in.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The signed-in user: set before any handler under /v1 runs. */
    principal: VerifiedPrincipal
  }
}

/** Requires a sign-in, and limits the requests of each user. */
export const authentication = fastifyPlugin(
  async (app, { settings: { TOKENS_PER_MINUTE } }: ServiceOptions) => {
    const requests = createRateLimit(TOKENS_PER_MINUTE)
    // A placeholder, so that all requests have the same shape; the hook replaces it or throws.
    app.decorateRequest('principal', null as unknown as VerifiedPrincipal)
    // Calls `done` directly for known users: a promise would delay the reader of the body, which costs more than this hook.
    app.addHook('onRequest', (request, _reply, done) => {
      const known = app.signIn.getVerified(request.headers.authorization)
      if (!known) return verify(request)
      request.principal = known
      return done()
    })
    async function verify(request: FastifyRequest): Promise<void> {
      // Verifying a signature is the most expensive work that an unknown client can cause.
      const excess = app.findExcessRejections(request)
      if (excess) throw excess
      const { authorization } = request.headers
      request.principal = await runStep({ name: 'verify sign-in' }, () => app.signIn.verify(authorization))
    }
    app.addHook('preValidation', (request, _reply, done) => {
      const { principal } = request
      const retryAfterMs = requests.count(principal.userKey)
      if (retryAfterMs > 0) {
        const detail = `The user sent more than ${TOKENS_PER_MINUTE} requests in a minute. Wait before the next one.`
        return done(new ProblemError('rate-limited', detail, { retryAfterMs }))
      }
      app.signIn.addVerified(principal)
      return done()
    })
  },
  { name: 'authentication', dependencies: ['problems', 'sign-in'] },
)

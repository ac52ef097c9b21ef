import { fastifyPlugin } from 'fastify-plugin'
import { ProblemError } from '../problem-error.ts'
import type { Principal } from '../sign-in/principal.ts'
import type { SignIn } from '../sign-in/sign-in.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is signed in: set before any handler under /v1 runs. */
    principal: Principal
  }
}

export interface AuthenticationOptions {
  readonly signIn: SignIn
  /** Requests that a user may make in a minute. */
  readonly requestsPerMinute: number
}

/** Lets in nobody but signed-in users, and none of them too often. */
export const authentication = fastifyPlugin(
  async (app, { signIn, requestsPerMinute }: AuthenticationOptions) => {
    const countRequest = app.createRateLimit({
      max: requestsPerMinute,
      timeWindow: 60_000,
      keyGenerator: (request) => request.principal.userKey,
    })
    // A placeholder, so that every request has the same shape; the hook replaces it or throws.
    app.decorateRequest('principal', null as unknown as Principal)
    // Known users are let in without a promise: a body that comes before its reader costs more than all of this.
    app.addHook('onRequest', (request, _reply, done) => {
      const { authorization } = request.headers
      const known = signIn.recall(authorization)
      if (!known) return signIn.verify(authorization).then((principal) => void (request.principal = principal))
      request.principal = known
      return done()
    })
    app.addHook('preValidation', async (request) => {
      const limit = await countRequest(request)
      if (!limit.isAllowed && limit.isExceeded) {
        throw new ProblemError('rate-limited', `A user may make ${requestsPerMinute} requests in a minute.`, {
          retryAfterMs: limit.ttl,
        })
      }
    })
  },
  { name: 'authentication', dependencies: ['@fastify/rate-limit', 'problems'] },
)

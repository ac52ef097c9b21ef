import type { FastifyRequest } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { ProblemError } from '../problem-error.ts'
import type { SignIn, VerifiedPrincipal } from '../sign-in/sign-in.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is signed in: set before any handler under /v1 runs. */
    principal: VerifiedPrincipal
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
    app.decorateRequest('principal', null as unknown as VerifiedPrincipal)
    // Known users are let in without a promise: a body that comes before its reader costs more than all of this.
    app.addHook('onRequest', (request, _reply, done) => {
      const { authorization } = request.headers
      const known = signIn.recall(authorization)
      if (!known) return verify(request)
      request.principal = known
      return done()
    })
    async function verify(request: FastifyRequest): Promise<void> {
      // Verifying a signature is the most expensive work that a stranger can request.
      const excess = await app.findExcessRejections(request)
      if (excess) throw excess
      request.principal = await signIn.verify(request.headers.authorization)
    }
    app.addHook('preValidation', async (request) => {
      const limit = await countRequest(request)
      if (!limit.isAllowed && limit.isExceeded) {
        throw new ProblemError('rate-limited', `A user may make ${requestsPerMinute} requests in a minute.`, {
          retryAfterMs: limit.ttl,
        })
      }
      signIn.keep(request.principal)
    })
  },
  { name: 'authentication', dependencies: ['@fastify/rate-limit', 'problems'] },
)

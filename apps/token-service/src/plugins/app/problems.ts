import { problemCatalogue, problemMediaType } from '@acs-kit/token-contract'
import type { FastifyRequest } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { toAddressGroup, getClientAddress } from '../../client-address.ts'
import { ProblemError } from '../../problems/problem-error.ts'
import { toBody, toHeaders, toProblem } from '../../problems/problem-response.ts'
import type { ServiceOptions } from '../../service-options.ts'
import { sentProblems, type SentProblem } from '../../steps.ts'
import type { VerifiedPrincipal } from '../../sign-in/sign-in.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the problem of an address or user over the limit of rejected requests, otherwise undefined. */
    findExcessRejections(request: FastifyRequest): Promise<ProblemError | undefined>
  }
}

/** Sends every failure as problem details of the contract, and limits the rejected requests of an address or user. */
export const problems = fastifyPlugin(
  async (app, { settings: { BAD_REQUESTS_PER_MINUTE } }: ServiceOptions) => {
    const countRejection = app.createRateLimit({
      max: BAD_REQUESTS_PER_MINUTE,
      timeWindow: 60_000,
      // Rejections of a signed-in user do not count against others at the same address.
      keyGenerator: (request) => request.principal?.userKey ?? toAddressGroup(request),
    })

    async function findExcess(request: FastifyRequest, { increment }: { increment: boolean }) {
      const limit = await countRejection(request, { increment })
      if (limit.isAllowed || !limit.isExceeded) return undefined
      return new ProblemError(
        'rate-limited',
        'Too many rejected requests of this address or user. Wait, and correct the requests.',
        {
          retryAfterMs: limit.ttl,
        },
      )
    }

    app.decorate('findExcessRejections', (request) => findExcess(request, { increment: false }))

    app.setErrorHandler(async (error, request, reply) => {
      let problem = toProblem(error)
      const { logFields } = problem
      const { status } = problemCatalogue[problem.code]
      if (status < 500 && status !== 429 && problem.countsAgainstAddress) {
        problem = (await findExcess(request, { increment: true })) ?? problem
      }
      const audit = status === 401 || status === 403 ? 'reject' : undefined
      const fields = { audit, ...toLogFields(request), ...logFields, code: problem.code }
      if (problem.code === 'internal-error') request.log.error({ ...fields, err: error }, 'internal error')
      else if (status >= 500) request.log.warn({ ...fields, err: error }, 'could not serve a request')
      else request.log.info(fields, 'rejected a request')
      sentProblems.publish({ request, code: problem.code } satisfies SentProblem)
      return reply
        .code(problem.statusCode)
        .headers(toHeaders(problem))
        .type(problemMediaType)
        .send(toBody(problem, request.id))
    })
  },
  { name: 'problems', dependencies: ['rate-limit'] },
)

/** Omits the path, which can be any text. */
function toLogFields(request: FastifyRequest): object {
  const { method, routeOptions } = request
  // Undefined outside /v1, and before the sign-in is verified.
  const principal = request.principal as VerifiedPrincipal | undefined
  return { method, route: routeOptions.url, address: getClientAddress(request), userKey: principal?.userKey }
}

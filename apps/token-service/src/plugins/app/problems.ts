import { problemCatalogue, problemMediaType } from '@acs-kit/token-contract'
import type { FastifyRequest } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { toAddressGroup, getClientAddress } from '../../client-address.ts'
import { ProblemError } from '../../problems/problem-error.ts'
import { toBody, toHeaders, toProblem } from '../../problems/problem-response.ts'
import { createRateLimit } from '../../rate-limit.ts'
import type { ServiceOptions } from '../../service-options.ts'
import { sentProblems, type SentProblem } from '../../steps.ts'
import type { VerifiedPrincipal } from '../../sign-in/sign-in.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the problem of an address or user over the limit of rejected requests, otherwise undefined. */
    findExcessRejections(request: FastifyRequest): ProblemError | undefined
  }
}

/** Sends every failure as problem details of the contract, and limits the rejected requests of an address or user. */
export const problems = fastifyPlugin(
  async (app, { settings: { BAD_REQUESTS_PER_MINUTE } }: ServiceOptions) => {
    const rejections = createRateLimit(BAD_REQUESTS_PER_MINUTE)

    app.decorate('findExcessRejections', (request) => toExcess(rejections.check(toCountedKey(request))))

    app.setErrorHandler((error, request, reply) => {
      let problem = toProblem(error)
      const { logFields } = problem
      const { status } = problemCatalogue[problem.code]
      if (status < 500 && status !== 429 && problem.countsAgainstAddress) {
        problem = toExcess(rejections.count(toCountedKey(request))) ?? problem
      }
      const audit = status === 401 || status === 403 ? 'reject' : undefined
      const fields = { audit, ...toLogFields(request), ...logFields, code: problem.code }
      if (problem.code === 'internal-error') request.log.error({ ...fields, err: error }, 'internal error')
      else if (status >= 500) request.log.warn({ ...fields, err: error }, 'could not serve a request')
      else request.log.info(fields, 'rejected a request')
      sentProblems.publish({ request, code: problem.code } satisfies SentProblem)
      void reply
        .code(problem.statusCode)
        .headers(toHeaders(problem))
        .type(problemMediaType)
        .send(toBody(problem, request.id))
    })
  },
  { name: 'problems' },
)

/** Rejections of a signed-in user do not count against others at the same address. */
function toCountedKey(request: FastifyRequest): string {
  const principal = request.principal as VerifiedPrincipal | undefined
  return principal?.userKey ?? toAddressGroup(request)
}

function toExcess(retryAfterMs: number): ProblemError | undefined {
  if (retryAfterMs === 0) return undefined
  const detail = 'Too many rejected requests of this address or user. Wait, and correct the requests.'
  return new ProblemError('rate-limited', detail, { retryAfterMs })
}

/** Omits the path, which can be any text. */
function toLogFields(request: FastifyRequest): object {
  const { method, routeOptions } = request
  // Undefined outside /v1, and before the sign-in is verified.
  const principal = request.principal as VerifiedPrincipal | undefined
  return { method, route: routeOptions.url, address: getClientAddress(request), userKey: principal?.userKey }
}

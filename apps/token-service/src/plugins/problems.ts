import { maxHeaderSize, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { CommunicationIdentityError, type FailureCode } from '@acs-kit/communication-identity'
import { problemCatalogue, problemMediaType, type Problem, type ProblemCode } from '@acs-kit/token-contract'
import type { ConnectionError, FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { addressGroup, clientAddress } from '../client-address.ts'
import { ProblemError } from '../problem-error.ts'
import type { VerifiedPrincipal } from '../sign-in/sign-in.ts'

/** What Azure's failures are to our callers. The others are our own mistakes. */
const communicationFailures: Partial<Record<FailureCode, ProblemCode>> = {
  throttled: 'communication-throttled',
  unavailable: 'communication-unavailable',
  'unsupported-by-driver': 'driver-unsupported',
}

const frameworkFailures: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
}

/** Clients without a clue come back after this. */
const defaultRetryMs = 2000

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the problem of an address or user over the limit of rejected requests, otherwise undefined. */
    findExcessRejections(request: FastifyRequest): Promise<ProblemError | undefined>
  }
}

export interface ProblemsOptions {
  /** Maximum rejected requests of an address or a signed-in user. */
  readonly badRequestsPerMinute: number
}

/** Every failure becomes problem details of the contract; an address that gets too much wrong is told only that. */
export const problems = fastifyPlugin(
  async (app, { badRequestsPerMinute }: ProblemsOptions) => {
    const countRejection = app.createRateLimit({
      max: badRequestsPerMinute,
      timeWindow: 60_000,
      // Users behind one address do not answer for each other's mistakes.
      keyGenerator: (request) => request.principal?.userKey ?? addressGroup(request),
    })

    async function findExcess(request: FastifyRequest, { increment }: { increment: boolean }) {
      const limit = await countRejection(request, { increment })
      if (limit.isAllowed || !limit.isExceeded) return undefined
      return new ProblemError('rate-limited', 'Too many requests from this address or user were rejected.', {
        retryAfterMs: limit.ttl,
      })
    }

    app.decorate('findExcessRejections', (request) => findExcess(request, { increment: false }))

    async function send(error: unknown, request: FastifyRequest, reply: FastifyReply) {
      let problem = toProblem(error)
      const { logFields } = problem
      const { status } = problemCatalogue[problem.code]
      if (status < 500 && status !== 429 && problem.countsAgainstAddress) {
        problem = (await findExcess(request, { increment: true })) ?? problem
      }
      const audit = status === 401 || status === 403 ? 'reject' : undefined
      const fields = { audit, ...describe(request), ...logFields, code: problem.code }
      if (problem.code === 'internal-error') request.log.error({ ...fields, err: error }, 'the service failed')
      else if (status >= 500) request.log.warn({ ...fields, err: error }, 'could not serve a request')
      else request.log.info(fields, 'rejected a request')
      return reply
        .code(problem.statusCode)
        .headers(headersOf(problem))
        .type(problemMediaType)
        .send(toBody(problem, request.id))
    }

    app.setErrorHandler(send)
    app.setNotFoundHandler((request, reply) => {
      const [path = ''] = request.url.split('?')
      // OPTIONS is answered everywhere, for CORS.
      const methods = app.supportedMethods.filter(
        (method) => method !== 'OPTIONS' && app.findRoute({ method, url: path }) !== null,
      )
      if (methods.length === 0) return send(new ProblemError('route-unknown'), request, reply)
      return send(new ProblemError('method-not-allowed'), request, reply.header('Allow', methods.join(', ')))
    })
  },
  { name: 'problems', dependencies: ['@fastify/rate-limit'] },
)

/** Answers what Node could not even read as a request, as Fastify’s `clientErrorHandler`. */
export function refuseUnreadable(log: FastifyBaseLogger, requestId: string, error: ConnectionError, socket: Socket) {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const problem = toUnreadable(error)
  log.info({ reqId: requestId, code: problem.code, address: socket.remoteAddress }, 'rejected a malformed request')
  const body = JSON.stringify(toBody(problem, requestId))
  const { statusCode } = problem
  socket.write(
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\nContent-Type: ${problemMediaType}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
  // Also when the client never closes its half.
  socket.destroySoon()
}

/** Log fields of a request, without the path: the client can put any text into it. */
function describe(request: FastifyRequest): object {
  const { method, routeOptions } = request
  // Not set outside /v1, and before the sign-in is verified.
  const principal = request.principal as VerifiedPrincipal | undefined
  return { method, route: routeOptions.url, address: clientAddress(request), userKey: principal?.userKey }
}

function toUnreadable({ code }: ConnectionError): ProblemError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ProblemError('request-timeout')
    case 'HPE_HEADER_OVERFLOW':
      return new ProblemError('headers-too-large', `Path and headers may take ${maxHeaderSize} bytes together.`)
    default:
      return new ProblemError('request-invalid', 'It is no HTTP request.')
  }
}

function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof CommunicationIdentityError) {
    const code = communicationFailures[error.code]
    if (code === undefined) return new ProblemError('internal-error')
    const isTransient = code !== 'driver-unsupported'
    return new ProblemError(code, isTransient ? undefined : error.message, {
      ...(isTransient && { retryAfterMs: error.retryAfterMs ?? defaultRetryMs }),
    })
  }
  const { code, validation, validationContext, statusCode = 500 } = error as FastifyError
  if (validation) return toInvalidRequest(validation, validationContext)
  const known = frameworkFailures[code]
  if (known) return new ProblemError(known)
  if (statusCode < 500) return new ProblemError('request-invalid', (error as Error).message)
  return new ProblemError('internal-error')
}

function toInvalidRequest(
  [first]: NonNullable<FastifyError['validation']>,
  context: FastifyError['validationContext'],
): ProblemError {
  const { instancePath = '', message = 'is not valid' } = first ?? {}
  if (context === 'body' && /^\/scopes\/\d+$/.test(instancePath)) {
    return new ProblemError('scope-unknown', `${instancePath.slice(1)} ${message}`)
  }
  return new ProblemError('request-invalid', `${context ?? 'it'}${instancePath} ${message}`)
}

function headersOf({ code, retryAfter }: ProblemError): Record<string, string> {
  return {
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    ...(problemCatalogue[code].status === 401 && {
      'WWW-Authenticate': code === 'token-missing' ? 'Bearer' : 'Bearer error="invalid_token"',
    }),
    ...(code === 'permission-missing' && { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' }),
  }
}

function toBody({ code, message, retryAfter }: ProblemError, requestId: string): Problem {
  const { status, title } = problemCatalogue[code]
  return {
    type: `urn:problem-type:acs-kit:${code}`,
    title,
    status,
    code,
    ...(message && { detail: message }),
    ...(retryAfter !== undefined && { retryAfter }),
    requestId,
  }
}

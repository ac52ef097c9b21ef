import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { createOriginMatcher, type Settings } from '@acs-kit/service-settings'
import fastify, { LogController, type FastifyBaseLogger, type FastifyHttpOptions, type FastifyInstance } from 'fastify'
import { fastifyPlugin } from 'fastify-plugin'
import { tokenService } from './app.ts'
import { createLog } from './log.ts'
import { toCorsHeaders } from './plugins/app/cors.ts'
import { notFound } from './plugins/app/not-found.ts'
import { securityHeaderValues } from './plugins/app/security-headers.ts'
import { schemaController } from './plugins/external/typebox.ts'
import { rejectMalformedRequest } from './problems/malformed-request.ts'
import type { TokenServiceOptions } from './service-options.ts'

/** Maximum duration of sending a request. */
const requestTimeoutMs = 10_000
/** Exceeds the idle timeout of the proxies in front (4 minutes in Azure), so that they close connections first. */
const keepAliveTimeoutMs = 250_000
const idleCheckIntervalMs = 20

/**
 * Options of `fastify` that a plugin cannot set: trusted proxies, timeouts, and problem details for requests that Node cannot
 * parse.
 *
 * @param settings Settings of `readPluginSettings`.
 * @param log Logger of malformed requests. Default: that of `tokenService`.
 * @returns Options to spread into your own.
 * @example
 * const app = fastify({ ...serverOptions(settings), logger: true })
 */
export function serverOptions(
  settings: Settings,
  log: FastifyBaseLogger = createLog(settings.LOG_LEVEL, process.stdout),
): FastifyHttpOptions<Server> {
  const genReqId = createRequestIds()
  return {
    genReqId,
    trustProxy: (_address, hop) => hop < settings.TRUSTED_PROXIES,
    requestTimeout: requestTimeoutMs,
    // Node applies the longer of the two to the whole request, and checks only every 30 seconds by default.
    http: { headersTimeout: requestTimeoutMs, connectionsCheckingInterval: requestTimeoutMs / 4 },
    keepAliveTimeout: keepAliveTimeoutMs,
    clientErrorHandler: (error, socket) => rejectMalformedRequest(log, genReqId(), error, socket),
  }
}

/**
 * Builds an app that is only the token service, as the process runs it.
 *
 * @param options Options of `tokenService`, except `prefix`.
 * @returns The app, ready for `inject` and `listen`.
 * @throws If the SDK that `ACS_SDK` names cannot be loaded.
 * @example
 * const app = await buildServer(readSettings(process.env))
 * await app.listen({ port: 8080 })
 */
export async function buildServer(options: TokenServiceOptions): Promise<FastifyInstance> {
  const isAllowed = createOriginMatcher(options.ALLOWED_ORIGINS)
  const app = fastify({
    ...serverOptions(options, options.log),
    // Fastify itself logs nothing: with a logger it would listen for the end of each response.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
    schemaController,
    // A URL that cannot be decoded is rejected before any hook runs.
    frameworkErrors(error, request, reply) {
      const { origin } = request.headers
      reply.headers({ ...securityHeaderValues, Vary: 'Origin' })
      if (origin !== undefined && isAllowed(origin)) reply.headers(toCorsHeaders(origin))
      request.server.errorHandler(error, request, reply)
    },
  })
  // Does not encapsulate the service, so that its hooks also apply to unknown routes.
  await app.register(fastifyPlugin((root: FastifyInstance) => tokenService(root, options), { name: 'token-service' }))
  await app.register(notFound)
  const sockets = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  app.addHook('preClose', (done) => {
    // Connections become idle when their last response is sent. Without this, closing would wait for their timeout.
    const timer = setInterval(() => {
      app.server.closeIdleConnections()
      // Node waits for the first request of those that browsers and proxies open in advance.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
    }, idleCheckIntervalMs).unref()
    app.server.once('close', () => clearInterval(timer))
    done()
  })
  return app
}

/** Creates ids that are unique across instances and restarts. */
function createRequestIds(): () => string {
  const prefix = randomBytes(6).toString('base64url')
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}

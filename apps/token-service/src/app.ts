import { randomBytes } from 'node:crypto'
import type { Settings } from '@acs-kit/service-settings'
import { problemSchemas } from '@acs-kit/token-contract'
import rateLimit from '@fastify/rate-limit'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { Background } from './background.ts'
import { Communication } from './communication/communication.ts'
import { openConnections } from './connections.ts'
import { HealthMonitor } from './health-monitor.ts'
import { FirstLogin } from './identities/first-login.ts'
import { IdentityStore } from './identities/identity-store.ts'
import { Journal } from './identities/journal.ts'
import { Reaper, reaperPauseMs } from './identities/reaper.ts'
import { Removal } from './identities/removal.ts'
import { Table } from './identities/table.ts'
import { authentication } from './plugins/authentication.ts'
import { browsers, securityHeaders } from './plugins/browsers.ts'
import { jsonBodies } from './plugins/json-bodies.ts'
import { measured, Metrics } from './plugins/metrics.ts'
import { problems, refuseUnreadable } from './plugins/problems.ts'
import { referencePage } from './plugins/reference-page.ts'
import { identityRoutes } from './routes/identity.ts'
import { operationRoutes } from './routes/operations.ts'
import { teamsRoutes } from './routes/teams.ts'
import { tokenRoutes } from './routes/token.ts'
import { userRoutes } from './routes/users.ts'
import { SignIn } from './sign-in/sign-in.ts'
import { UserTokens } from './tokens/user-tokens.ts'

const maxBodyBytes = 32 * 1024
/** Users and addresses whose requests are counted at a time. */
const maxCounted = 100_000
/** Maximum clock difference between two instances. */
const maxSkewMs = 10_000
/** Longest that a client may take to send a request. */
const requestTimeoutMs = 10_000
/** Longer than the idle timeout of the proxies in front (Azure's is 4 minutes), so that they are the ones to close. */
const keepAliveTimeoutMs = 250_000

export interface AppOptions {
  readonly settings: Settings
  readonly log: FastifyBaseLogger
  /** Milliseconds since 1970; default the machine's clock. */
  readonly now?: () => number
  /** From 0 to 1, for jitter. */
  readonly random?: () => number
  /** Folder of the reference page's scripts, for which the settings ask. */
  readonly referenceFolder?: URL
}

/** The service and what runs beside its requests. */
export interface TokenService {
  readonly app: FastifyInstance
  readonly health: HealthMonitor
  readonly reaper: Reaper
  readonly metrics: Metrics | undefined
}

/** Puts the parts together. Nothing is asked of the network before the first request. */
export async function buildService({
  settings,
  log,
  now = Date.now,
  random = Math.random,
  referenceFolder,
}: AppOptions): Promise<TokenService> {
  const metrics = settings.METRICS_PORT === undefined ? undefined : new Metrics()
  const background = new Background(log)
  const { tableClient, keys } = await openConnections(settings)
  const table = new Table(tableClient)
  const store = new IdentityStore(table, now)
  const journal = new Journal(table, now, background)
  const communication = await Communication.connect({
    sdk: settings.ACS_SDK,
    keys,
    instances: settings.INSTANCES,
    log,
    ...(metrics && { onAttempt: (operation) => metrics.communicationAttempts.inc({ operation }) }),
  })
  const removal = new Removal({ store, journal, communication, log })
  const dropCache = (userKey: string) => userTokens.drop(userKey)
  const firstLogin = new FirstLogin({ store, journal, communication, removal, background, dropCache, log })
  const revocationBoundMs = settings.REVOCATION_BOUND_SECONDS * 1000
  const userTokens = new UserTokens({
    store,
    communication,
    firstLogin,
    background,
    now,
    random,
    revocationBoundMs,
    resourceId: settings.COMMUNICATION_SERVICES_RESOURCE_ID,
    remapForeign: settings.REMAP_FOREIGN_IDENTITIES,
    log,
  })
  const reaper = new Reaper({
    store,
    journal,
    removal,
    firstLogin,
    dropCache,
    now,
    graceMs: 2 * settings.UPSTREAM_DEADLINE_MS + reaperPauseMs + maxSkewMs,
    log,
  })
  const health = new HealthMonitor({ store, communication, log })
  metrics?.observe({ userTokens, communication, reaper })

  const nextRequestId = requestIds()
  const app = fastify({
    // Fastify itself logs nothing: with a logger of its own it would watch the end of each response all the same.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (_none, bindings) => log.child(bindings),
    genReqId: nextRequestId,
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    // Node takes the longer of the two for the whole request, and looks only every 30 seconds unless told.
    http: { headersTimeout: requestTimeoutMs, connectionsCheckingInterval: requestTimeoutMs / 4 },
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) => refuseUnreadable(log, nextRequestId(), error, socket),
    // An address that can't be decoded is refused before any hook.
    frameworkErrors(error, request, reply) {
      const { origin } = request.headers
      const isAllowed = origin !== undefined && settings.ALLOWED_ORIGINS.includes(origin)
      reply.headers({ ...securityHeaders, ...(isAllowed && { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' }) })
      request.server.errorHandler(error, request, reply)
    },
    trustProxy: (_address, hop) => hop < settings.TRUSTED_PROXIES,
  })
  // Clients learn the time from it.
  if (now !== Date.now) {
    app.addHook('onRequest', (_request, reply, done) => {
      reply.header('Date', new Date(now()).toUTCString())
      done()
    })
  }
  app.setValidatorCompiler(TypeBoxValidatorCompiler)
  for (const schema of problemSchemas) app.addSchema(schema)
  await app.register(rateLimit, { global: false, cache: maxCounted })
  await app.register(problems, { badRequestsPerMinute: settings.BAD_REQUESTS_PER_MINUTE })
  await app.register(browsers, { origins: settings.ALLOWED_ORIGINS, headers: settings.ALLOWED_HEADERS })
  await app.register(jsonBodies)
  if (metrics) await app.register(measured, { metrics })
  await app.register(operationRoutes, { health })
  if (settings.REFERENCE_PAGE && referenceFolder) await app.register(referencePage, { folder: referenceFolder })
  await app.register(async (signedIn) => {
    const signIn = new SignIn(settings.SIGN_IN_ISSUERS, { now, reuseMs: revocationBoundMs })
    await signedIn.register(authentication, { signIn, requestsPerMinute: settings.TOKENS_PER_MINUTE })
    const identities = { store, userTokens, removal }
    const { endpoint } = communication
    await signedIn.register(tokenRoutes, { userTokens, removal, policy: settings.SCOPE_POLICY, endpoint })
    await signedIn.register(identityRoutes, identities)
    await signedIn.register(teamsRoutes, { communication, clientId: settings.TEAMS_CLIENT_ID, now })
    await signedIn.register(userRoutes, identities)
  })
  app.addHook('preClose', (done) => {
    // Connections fall idle as their last requests are answered; without this, a stop would wait for their timeout.
    const timer = setInterval(() => app.server.closeIdleConnections(), 20).unref()
    app.server.once('close', () => clearInterval(timer))
    done()
  })
  app.addHook('onClose', () => background.settle())
  return { app, health, reaper, metrics }
}

/** Unique across instances and restarts, and cheap. */
function requestIds(): () => string {
  const prefix = randomBytes(6).toString('base64url')
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}

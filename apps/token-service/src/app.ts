import type { FastifyInstance } from 'fastify'
import { createLog } from './log.ts'
import { backgroundTasks } from './plugins/app/background-tasks.ts'
import { communication } from './plugins/app/communication.ts'
import { cors } from './plugins/app/cors.ts'
import { dateHeader } from './plugins/app/date-header.ts'
import { health } from './plugins/app/health.ts'
import { identities } from './plugins/app/identities.ts'
import { jsonBodies } from './plugins/app/json-bodies.ts'
import { metrics } from './plugins/app/metrics.ts'
import { notFound } from './plugins/app/not-found.ts'
import { problems } from './plugins/app/problems.ts'
import { referencePage } from './plugins/app/reference-page.ts'
import { securityHeaders } from './plugins/app/security-headers.ts'
import { signIn } from './plugins/app/sign-in.ts'
import { uniqueHeaders } from './plugins/app/unique-headers.ts'
import { userTokens } from './plugins/app/user-tokens.ts'
import { typebox } from './plugins/external/typebox.ts'
import { operationRoutes } from './routes/operations.ts'
import { v1Routes } from './routes/v1/v1-routes.ts'
import type { TokenServiceOptions } from './service-options.ts'

/** Plugins of every service, in the order of their hooks and dependencies. */
const plugins = [
  typebox,
  problems,
  dateHeader,
  securityHeaders,
  uniqueHeaders,
  cors,
  jsonBodies,
  metrics,
  backgroundTasks,
  communication,
  identities,
  userTokens,
  signIn,
  health,
]

/**
 * The token service as a plugin for any Fastify app. Its error handler, hooks, parsers, CORS and decorators apply to its own
 * routes only. With a `prefix`, it also handles unknown routes below the prefix.
 *
 * Health checks and the reaper run from `listen` to `close`. Hooks that the app adds before also apply to the service. Create the
 * app with `serverOptions`: without its `trustProxy`, limits per address count the proxy's address.
 *
 * @param app The app or one of its plugins.
 * @param options Settings of `readPluginSettings`, and optionally `log`, `now`, `random` and Fastify's `prefix`.
 * @returns Resolves without a request to Azure: the first one follows with the first request or with `listen`.
 * @throws If the SDK that `ACS_SDK` names cannot be loaded.
 * @example
 * const app = fastify({ ...serverOptions(settings), logger: true })
 * app.get('/orders', listOrders)
 * await app.register(tokenService, { ...readPluginSettings(process.env), prefix: '/communication' })
 */
export async function tokenService(app: FastifyInstance, options: TokenServiceOptions): Promise<void> {
  const {
    log = createLog(options.LOG_LEVEL, process.stdout),
    now = Date.now,
    random = Math.random,
    telemetry,
  } = options
  const serviceOptions = { settings: options, telemetry, log, now, random }
  app.setChildLoggerFactory((_logger, bindings) => log.child(bindings))
  if (telemetry) await app.register(telemetry.plugin)
  for (const plugin of plugins) await app.register(plugin, serviceOptions)
  if (app.prefix !== '') await app.register(notFound)

  await app.register(operationRoutes)
  if (options.REFERENCE_PAGE) await app.register(referencePage)
  await app.register(v1Routes, serviceOptions)
}

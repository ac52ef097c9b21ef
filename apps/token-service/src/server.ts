import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { readSettings, SettingsError } from '@acs-kit/service-settings'
import closeWithGrace from 'close-with-grace'
import { buildService } from './app.ts'
import { reaperPauseMs } from './identities/reaper.ts'
import { createLog, flush, openLogDestination } from './log.ts'
import { buildMetricsApp } from './plugins/metrics.ts'
import { repeat } from './repeat.ts'

const require = createRequire(import.meta.url)
/** How long a stop may take to finish what is in flight. */
const stopDeadlineMs = 10_000
const lookPauseMs = 30_000
/** While it is not ready, so that it is back as soon as what it leans on. */
const soonMs = 2000

async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const destination = openLogDestination()
  const log = createLog(settings.LOG_LEVEL, destination)
  const stopping = new AbortController()
  const { app, health, reaper, metrics } = await buildService({
    settings,
    log,
    referenceFolder: referenceFolder(),
    ...(process.connected && { now: followedClock() }),
  })
  const metricsApp = metrics && buildMetricsApp(metrics)
  closeWithGrace({ delay: stopDeadlineMs, logger: false, skip: ['beforeExit'] }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'the service ends')
    else log.info({ signal }, 'the service stops')
    stopping.abort()
    await Promise.all([app.close(), metricsApp?.close()])
    await flush(destination)
  })
  const metricsAddress = await metricsApp?.listen({ host: settings.METRICS_HOST, port: settings.METRICS_PORT! })
  const address = await app.listen({ host: settings.HOST, port: settings.PORT }).catch(async (error: unknown) => {
    await metricsApp?.close()
    throw error
  })
  log.info({ address, ...(metricsAddress && { metricsAddress }) }, 'the service listens')
  await flush(destination)
  // Tells a parent process with a channel that the service is ready: log lines depend on LOG_LEVEL.
  process.send?.({ address })
  void repeat(async () => {
    await health.look()
    return health.state.status === 'ready' ? lookPauseMs : soonMs
  }, stopping.signal)
  void repeat(async () => {
    await reaper.run().catch((err: unknown) => log.warn({ err }, 'reaper run failed, will retry'))
    return reaperPauseMs
  }, stopping.signal)
}

/** In development, where the emulator's clock can be moved: whoever started this process with a channel tells how far. */
function followedClock(): () => number {
  let offset = 0
  process.on('message', (message: { clockOffset?: unknown } | null) => {
    if (Number.isFinite(message?.clockOffset)) offset = message!.clockOffset as number
  })
  process.channel?.unref()
  return () => Date.now() + offset
}

/** Beside the built server; in the workspace, the package that it is taken from. */
function referenceFolder(): URL {
  const built = new URL('reference/', import.meta.url)
  return existsSync(built) ? built : new URL('./', pathToFileURL(require.resolve('swagger-ui-dist/package.json')))
}

try {
  await main()
} catch (error) {
  const { message, code, syscall } = error as NodeJS.ErrnoException
  if (error instanceof SettingsError || syscall === 'listen') process.stderr.write(`${message}\n`)
  else if (syscall === 'getaddrinfo') {
    process.stderr.write(`HOST and METRICS_HOST must be addresses of this machine: cannot resolve one (${code})\n`)
  } else createLog('fatal', process.stderr).fatal({ err: error }, 'the service failed to start')
  process.exitCode = 1
}

import { flushCompileCache } from 'node:module'
import { readSettings, SettingsError, type Settings } from '@acs-kit/service-settings'
import closeWithGrace from 'close-with-grace'
import { buildServer } from './build-server.ts'
import { createLog, flush, openLogDestination, type Log } from './log.ts'
import type { Telemetry } from './service-options.ts'

/** Maximum time to finish open requests after a signal. */
const closeTimeoutMs = 10_000

async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const destination = openLogDestination()
  const log = createLog(settings.LOG_LEVEL, destination)
  const telemetry = await loadTelemetry(settings, log)
  const app = await buildServer({
    ...settings,
    log,
    telemetry,
    ...(process.connected && { now: followParentClock() }),
  })
  closeWithGrace({ delay: closeTimeoutMs, logger: false, skip: ['beforeExit'] }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'uncaught error, stopping')
    else log.info({ signal }, 'stopping')
    await app.close()
    await flush(destination)
  })
  const address = await app.listen({ host: settings.HOST, port: settings.PORT }).catch(async (error: unknown) => {
    await app.close()
    throw error
  })
  log.info({ address, metricsAddress: app.metrics?.address }, 'the service listens')
  await flush(destination)
  // Notifies a parent process with a channel that the service is ready: log lines depend on LOG_LEVEL.
  process.send?.({ address })
  // Node would write it only when the process exits, and not if it is killed.
  setImmediate(flushCompileCache)
}

/** Loads OpenTelemetry only if it is needed: it takes time to start, and memory. */
async function loadTelemetry(settings: Settings, log: Log): Promise<Telemetry | undefined> {
  if (settings.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return undefined
  const { startTelemetry } = await import('./telemetry/start-telemetry.ts')
  return startTelemetry(settings, log)
}

/** Follows the emulator's clock in development: the parent process sends its offset through the channel. */
function followParentClock(): () => number {
  let offsetMs = 0
  process.on('message', (message: { clockOffset?: unknown } | null) => {
    if (Number.isFinite(message?.clockOffset)) offsetMs = message!.clockOffset as number
  })
  process.channel?.unref()
  return () => Date.now() + offsetMs
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

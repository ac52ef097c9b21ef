// `npm run dev`: emulator, Azurite, token service and demo without an Azure account. Service and demo follow their sources.
import { once } from 'node:events'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { settings, type SettingName } from '@acs-kit/service-settings'
import { readSpans, startOtlpReceiver } from '@acs-kit/test-support/otlp-receiver'
import { createTraceFormatter } from './format-trace.ts'
import { startLocalStack } from './local-stack.ts'
import { findNamedResource } from './named-resource.ts'
import { addStackOptions, createProgram, toPorts, type StackOptions } from './options.ts'
import { printError, runProgram } from './run-program.ts'
import { formatUsage } from './usage.ts'

/** Folders of the modules that the service runs from source. */
const serviceSources = [
  import.meta.resolve('fastify-communication-tokens/main'),
  import.meta.resolve('@acs-kit/communication-identity'),
  import.meta.resolve('@acs-kit/service-settings'),
  import.meta.resolve('@acs-kit/token-contract'),
].map((url) => dirname(fileURLToPath(url)))
const never = new Promise<never>(() => {})
/** Editors and Git write several files at a time. */
const settleMs = 100

/** Options and variables that choose the folders of this program. */
const folderOptions = ['--data', '--keys', 'HOME']

const command = addStackOptions(
  createProgram('npm run dev --', 'run the token service and the demo, and reload both on every change'),
)
  .option(
    '--data <folder>',
    'folder that keeps users and identities',
    fileURLToPath(new URL('../.data', import.meta.url)),
  )
  .option('--trace', 'print the steps of each request to the token service, with their durations')
  .addHelpText(
    'after',
    `
Environment variables:
  COMMUNICATION_SERVICES_CONNECTION_STRING  resource to use instead of the emulator's
  ACS_SDK                                   SDK of the token service: identity or administration
  LOG_LEVEL                                 minimum level of the token service's log`,
  )

interface DevOptions extends StackOptions {
  readonly data: string
  readonly trace?: true
}

async function dev(options: DevOptions, signal: AbortSignal): Promise<void> {
  const stopped = once(signal, 'abort').then(() => 'stopped' as const)
  let changed = Promise.withResolvers<'changed'>()
  await using collector = options.trace && (await startTracePrinter())
  await using stack = await startLocalStack({
    dataFolder: resolve(options.data),
    keyFolder: options.keys,
    ports: toPorts(options),
    watch: { folders: serviceSources, onChange: () => changed.resolve('changed') },
    allowedOrigins: options.allowOrigin,
    connectionString: await findNamedResource(),
    logLevel: readLogLevel(),
    serviceSettings: collector && traceSettings(collector.url),
    onLog: (text) => process.stdout.write(text),
  })
  process.stdout.write(`\n${formatUsage(stack, options.keys)}\n\n`)
  let exited: Promise<string> = stack.service.exited()
  for (;;) {
    const event = await Promise.race([stopped, changed.promise, exited])
    // On Windows, Ctrl+C also ends the service.
    if (event === 'stopped' || signal.aborted) return
    exited = never
    if (event !== 'changed') {
      printError(new Error(`${event}: restarts on the next change of its sources`))
      continue
    }
    await sleep(settleMs)
    // Changes during the restart count for the next.
    changed = Promise.withResolvers()
    try {
      await stack.service.restart()
      exited = stack.service.exited()
    } catch (error) {
      printError(error, folderOptions)
    }
  }
}

/** Starts a collector that prints traces. It outlives the service, which restarts. */
function startTracePrinter() {
  const format = createTraceFormatter()
  return startOtlpReceiver((received) => {
    for (const block of format(readSpans(received))) process.stdout.write(`${block}\n`)
  })
}

/** Returns the service's settings to export each trace within a moment, and metrics once an hour. */
function traceSettings(url: string): Partial<Record<SettingName, string>> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '200',
    OTEL_METRIC_EXPORT_INTERVAL: '3600000',
    // Also those that a client does not record.
    OTEL_TRACES_SAMPLER: 'always_on',
  }
}

/** Returns LOG_LEVEL if it is a level of the service. Other programs use the same variable with other levels. */
function readLogLevel(): string | undefined {
  const level = process.env['LOG_LEVEL']?.trim()
  if (!level) return undefined
  try {
    return settings.LOG_LEVEL.parse(level)
  } catch (error) {
    printError(new Error(`LOG_LEVEL ignored: ${(error as Error).message}`))
    return undefined
  }
}

await runProgram((signal) => command.action((options: DevOptions) => dev(options, signal)).parseAsync(), folderOptions)

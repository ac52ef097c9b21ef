import { setTimeout as sleep } from 'node:timers/promises'
import type { Emulator } from '@acs-kit/communication-emulator'
import { parseConnectionString } from '@acs-kit/communication-identity'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { startOnAppService } from './app-service.ts'
import { Backend, type InProcessOptions } from './backend.ts'
import type { DemoServer, WatchedSources } from './demo-server.ts'
import type { ProvisionedResources, ProvisionOptions, ProvisionProgress } from './provisioned-resources.ts'
import { ServicePackage } from './service-package.ts'
import type { TokenServiceProcess } from './token-service-process.ts'

export interface LocalStackOptions
  extends
    Pick<InProcessOptions, 'keyFolder' | 'dataFolder' | 'connectionString' | 'onLog'>,
    Partial<ProvisionProgress> {
  /** 0 takes a free port. Without a port for the demo, it is not served. */
  readonly ports: { readonly emulator: number; readonly service: number; readonly demo?: number }
  /** Sources that the demo's server watches from the start. */
  readonly watch?: WatchedSources | undefined
  /** Provisions a resource, and runs the service's package as App Service would. */
  readonly provision?: ProvisionOptions | undefined
  /** Origins whose pages may call the service, in addition to those of this machine. */
  readonly allowedOrigins?: readonly string[] | undefined
  /** Default: the service's. */
  readonly logLevel?: string | undefined
  /** Additional settings of the service. */
  readonly serviceSettings?: NodeJS.ProcessEnv | undefined
}

/** Everything that an app needs, on this machine. */
export interface LocalStack extends AsyncDisposable {
  readonly emulator: Emulator
  readonly service: TokenServiceProcess
  readonly demo: DemoServer | undefined
  /** Undefined if nothing was provisioned. */
  readonly resources: ProvisionedResources | undefined
  /** Whether the resource is the emulator's. */
  readonly isAzureEmulated: boolean
  readonly communicationEndpoint: string
  /** Undefined if the resource is keyless. */
  readonly connectionString: string | undefined
}

const readyTimeoutMs = 30_000
const loopbackOrigins = ['localhost', '127.0.0.1', '[::1]'].flatMap((host) => [`http://${host}:*`, `https://${host}:*`])

/** Starts emulator, Azurite, token service and, given a port, the demo. If one fails, stops the others and rejects. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const {
    ports,
    watch,
    provision,
    allowedOrigins = [],
    logLevel,
    serviceSettings,
    onLog,
    onStep = () => {},
    signal,
    ...backendOptions
  } = options
  await using parts = new AsyncDisposableStack()
  // Starts before Azurite, because both take equally long. The genuine provider may upload the package to Azure's own host.
  const servicePackage = provision && !provision.plugin ? parts.use(new ServicePackage()) : undefined
  const backend = parts.use(
    await Backend.start({
      ...backendOptions,
      onLog,
      emulatorPort: ports.emulator,
      servesAccounts: provision !== undefined,
    }),
  )
  const { emulator } = backend
  // Loads Vite and the Automation API only if they are needed.
  let demo: DemoServer | undefined
  if (ports.demo !== undefined) {
    const { startDemoServer } = await import('./demo-server.ts')
    demo = parts.use(await startDemoServer(emulator, { port: ports.demo, watch }))
  }
  let resources: ProvisionedResources | undefined
  if (provision) {
    const { provisionResources } = await import('./provisioned-resources.ts')
    resources = parts.use(await provisionResources(provision, { backend, servicePackage, onStep, signal }))
  }
  const settings = {
    PORT: String(ports.service),
    ALLOWED_ORIGINS: [...loopbackOrigins, ...allowedOrigins].join(','),
    ...(logLevel !== undefined && { LOG_LEVEL: logLevel }),
    ...serviceSettings,
  }
  const starting = resources
    ? startOnAppService(emulator, {
        folder: parts.use(new TemporaryFolder()),
        hasPackage: servicePackage !== undefined,
        settings,
        onLog,
      })
    : backend.startService({ ...settings, REFERENCE_PAGE: 'true' })
  parts.defer(async () => (await starting.catch(() => undefined))?.[Symbol.asyncDispose]())
  const reading = resources?.readOutputs().then((read) => {
    onStep('outputs', `read in memory${read['connectionString'] ? ', including the connection string' : ''}`)
    return read
  })
  // If one fails, the other must end before its folder is removed.
  await Promise.allSettled([starting, reading])
  const [service, outputs] = await Promise.all([starting, reading])
  if (outputs) {
    const source = servicePackage ? "its package, mounted from the blob with the site's managed identity" : 'built here'
    onStep('token service', `${source}, at ${service.url}`)
    await waitUntilReady(service.url)
    onStep('ready', 'reaches the resource and the mapping table with its managed identity')
  }
  const { communicationEndpoint, connectionString } = outputs
    ? { communicationEndpoint: outputs['communicationEndpoint']!, connectionString: outputs['connectionString'] }
    : toResource(options.connectionString ?? emulator.connectionString)
  const open = parts.move()
  const stack: LocalStack = {
    emulator,
    service,
    demo,
    resources,
    isAzureEmulated: options.connectionString === undefined,
    communicationEndpoint,
    connectionString,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
  demo?.publish(stack)
  return stack
}

function toResource(connectionString: string) {
  return { communicationEndpoint: parseConnectionString(connectionString).endpoint, connectionString }
}

async function waitUntilReady(url: string): Promise<void> {
  const deadline = AbortSignal.timeout(readyTimeoutMs)
  for (;;) {
    const { ok, status } = await fetch(new URL('/readyz', url))
    if (ok) return
    if (deadline.aborted)
      throw new Error(
        `token service is not ready after ${readyTimeoutMs / 1000} s, status ${status}: run the command again, or use --no-pulumi`,
      )
    await sleep(50)
  }
}

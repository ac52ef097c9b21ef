import { setTimeout as sleep } from 'node:timers/promises'
import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { LocalEngine } from './pulumi/local-engine.ts'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { startStandInProvider } from './stand-in-provider/stand-in-provider.ts'
import { Azurite } from '@acs-kit/test-support/azurite'
import { serveDemo, type Demo } from './demo.ts'
import type { Service } from './service.ts'
import { Site } from './site.ts'
import type { RunningStack, StackPorts } from './stack.ts'

export interface ProvisionedStackOptions {
  readonly cli: PulumiCommand
  /** Default: with access keys. */
  readonly keyless?: boolean
  readonly ports: StackPorts
  readonly onLog?: (text: string) => void
  /** Hears of what has just been done. */
  readonly onStep?: (what: string, text: string) => void
  /** Ends an `up` that is under way. */
  readonly signal?: AbortSignal
}

const readyLimitMs = 30_000

/**
 * What a deployed stack is, on this machine: resources by the genuine Pulumi engine with the stand-in provider on an
 * emulated Azure, the mapping table in Azurite, and the service's package run as the site says.
 */
export class ProvisionedStack implements RunningStack, AsyncDisposable {
  readonly #options: ProvisionedStackOptions
  readonly #parts: AsyncDisposableStack
  readonly #onStep: (what: string, text: string) => void
  readonly emulator: Emulator
  readonly engine: LocalEngine
  readonly isAzureEmulated = true
  readonly demoUrl: string | undefined
  readonly referenceUrl = undefined
  /** Of the stack; secrets too, and in memory only. */
  outputs: Readonly<Record<string, string>> = {}
  #site: Site | undefined

  private constructor(
    options: ProvisionedStackOptions,
    parts: AsyncDisposableStack,
    { emulator, engine, demo }: { emulator: Emulator; engine: LocalEngine; demo: Demo | undefined },
  ) {
    this.#options = options
    this.#parts = parts
    this.#onStep = options.onStep ?? (() => {})
    this.emulator = emulator
    this.engine = engine
    this.demoUrl = demo?.url
  }

  /** Rejects when anything of it fails, with nothing left behind. */
  static async start(options: ProvisionedStackOptions): Promise<ProvisionedStack> {
    const { cli, ports } = options
    await using parts = new AsyncDisposableStack()
    const emulator = parts.use(await startEmulator({ port: ports.emulator }))
    const azurite = parts.use(await Azurite.start({ tls: emulator.tlsFiles, oauth: true }))
    emulator.resourceManager.tableEndpoint = azurite.endpoint
    emulator.resourceManager.tableKeys = Azurite.accountKeys
    const provider = await startStandInProvider(emulator.resourceManager.servicePrincipal)
    const engine = parts.use(await LocalEngine.start(cli, provider))
    let stack: ProvisionedStack | undefined
    const serviceUrl = () => stack!.service.url
    const demo =
      ports.demo === undefined
        ? undefined
        : parts.use(await serveDemo({ emulator, isAzureEmulated: true, serviceUrl, port: ports.demo }))
    stack = new ProvisionedStack(options, parts.move(), { emulator, engine, demo })
    try {
      await stack.#up()
      await stack.#open()
    } catch (error) {
      await stack[Symbol.asyncDispose]()
      throw error
    }
    return stack
  }

  get service(): Service {
    return this.#site!.service
  }

  /** Undefined when it is keyless: then no key opens the resource. */
  get connectionString(): string | undefined {
    return this.#options.keyless ? undefined : this.outputs['connectionString']
  }

  /** Stops the service, destroys the stack, and rejects if anything of it is left. */
  async destroy(): Promise<void> {
    await this.#site?.[Symbol.asyncDispose]()
    this.#onStep('stopped', 'the token service')
    let deleted = 0
    await this.engine.destroy({ onResource: () => void deleted++ })
    this.#onStep('destroyed', `${deleted} resources`)
    const left = this.emulator.resourceManager.resources().map(({ id }) => id.id)
    if (left.length > 0) throw new Error(`pulumi destroy left: ${left.join(', ')}`)
    this.#onStep('left', 'nothing: the resource manager has no resource any more')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#site?.[Symbol.asyncDispose]()
    await this.#parts.disposeAsync()
  }

  async #up(): Promise<void> {
    const { keyless = false } = this.#options
    const settings = {
      'azure-native:location': 'westeurope',
      keyless: String(keyless),
      'issuers[0].issuer': this.emulator.entra.issuer,
      'issuers[0].audience': 'api://acs-kit',
      'issuers[0].kind': 'entra',
      'issuers[0].required': 'access_as_user',
      'issuers[0].admin': 'admin',
      ...(this.demoUrl !== undefined && { 'allowedOrigins[0]': new URL(this.demoUrl).origin }),
    }
    await this.engine.configure(settings)
    this.#onStep('stack', 'local, with its state in a temporary folder')
    const { signal } = this.#options
    this.outputs = await this.engine.up({
      onResource: (type, operation) => {
        if (operation === 'created') this.#onStep(type, 'created')
      },
      ...(signal && { signal }),
    })
    this.#onStep('outputs', 'read in memory, the connection string among them')
  }

  async #open(): Promise<void> {
    const { emulator } = this
    const { ports, onLog } = this.#options
    this.#site = await Site.start({ emulator, port: ports.service, ...(onLog && { onLog }) })
    this.#parts.defer(emulator.clock.onMove((offset) => this.service.setClockOffset(offset)))
    this.#onStep('token service', `its package, unpacked and started as the site says, at ${this.service.url}`)
    const giveUp = AbortSignal.timeout(readyLimitMs)
    for (;;) {
      const { ok, status } = await fetch(new URL('/readyz', this.service.url))
      if (ok) break
      if (giveUp.aborted) throw new Error(`the token service is not ready: ${status}`)
      await sleep(50)
    }
    this.#onStep('ready', 'it reaches the resource and the mapping table, with its managed identity')
  }
}

import { join } from 'node:path'
import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { serveDemo, type Demo } from './demo.ts'
import { Service } from './service.ts'

/** What runs on this machine, for those who use it. */
export interface RunningStack {
  readonly emulator: Emulator
  /** Whether the resource is the emulator's. */
  readonly isAzureEmulated: boolean
  /** Of the resource; undefined if no key opens it. */
  readonly connectionString: string | undefined
  readonly service: Service
  readonly demoUrl: string | undefined
  /** Of the page to read the API and to try it. */
  readonly referenceUrl: string | undefined
}

/** 0 takes a free one. Without one for the demo, there is none. */
export interface StackPorts {
  readonly emulator: number
  readonly service: number
  readonly demo?: number
}

export interface StackOptions {
  /** Keeps users who they are from one time to the next; default: everything is forgotten. */
  readonly dataFolder?: string
  readonly ports: StackPorts
  /** Connection string of the resource; default: the emulator's. */
  readonly connectionString?: string | undefined
  /** Further settings of the service. */
  readonly settings?: NodeJS.ProcessEnv
  readonly onLog?: (text: string) => void
}

/** Everything on this machine: emulator, Azurite, the token service, and the demo if there is a port for it. */
export class Stack implements RunningStack, AsyncDisposable {
  readonly #parts: AsyncDisposableStack
  readonly #options: StackOptions
  readonly #azurite: Azurite
  readonly emulator: Emulator
  #service: Service | undefined
  #demo: Demo | undefined

  private constructor(options: StackOptions, parts: AsyncDisposableStack, emulator: Emulator, azurite: Azurite) {
    this.#options = options
    this.#parts = parts
    this.emulator = emulator
    this.#azurite = azurite
  }

  static async start(options: StackOptions): Promise<Stack> {
    const { dataFolder, ports } = options
    await using parts = new AsyncDisposableStack()
    const emulator = parts.use(
      await startEmulator({
        port: ports.emulator,
        ...(dataFolder !== undefined && { dataFolder: join(dataFolder, 'emulator') }),
      }),
    )
    const azurite = parts.use(
      await Azurite.start(dataFolder === undefined ? {} : { dataFolder: join(dataFolder, 'azurite') }),
    )
    const stack = new Stack(options, parts.move(), emulator, azurite)
    try {
      await stack.#open()
    } catch (error) {
      await stack[Symbol.asyncDispose]()
      throw error
    }
    return stack
  }

  get connectionString(): string {
    return this.#options.connectionString ?? this.emulator.connectionString
  }

  get isAzureEmulated(): boolean {
    return this.connectionString === this.emulator.connectionString
  }

  get service(): Service {
    return this.#service!
  }

  get demoUrl(): string | undefined {
    return this.#demo?.url
  }

  get referenceUrl(): string {
    return `${this.service.url}/reference`
  }

  async restartService(): Promise<void> {
    await this.#service?.[Symbol.asyncDispose]()
    await this.#startService()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service?.[Symbol.asyncDispose]()
    await this.#parts.disposeAsync()
  }

  async #open(): Promise<void> {
    const { emulator, isAzureEmulated } = this
    const { demo: port } = this.#options.ports
    if (port !== undefined) {
      const serviceUrl = () => this.service.url
      this.#demo = this.#parts.use(await serveDemo({ emulator, isAzureEmulated, serviceUrl, port }))
    }
    this.#parts.defer(emulator.clock.onMove((offset) => this.#service?.setClockOffset(offset)))
    await this.#startService()
  }

  async #startService(): Promise<void> {
    const { emulator, connectionString } = this
    const { ports, onLog, settings } = this.#options
    const signIn = { issuer: emulator.entra.issuer, audience: 'api://acs-kit', kind: 'entra' }
    this.#service = await Service.start({
      ...(onLog && { onLog }),
      env: childEnvironment(
        {
          ...emulator.nodeEnvironment(),
          ACS_SDK: process.env['ACS_SDK'],
          ...settings,
          HOST: '127.0.0.1',
          PORT: String(ports.service),
          REFERENCE_PAGE: 'true',
          ...(this.#demo && { ALLOWED_ORIGINS: new URL(this.#demo.url).origin }),
          SIGN_IN_ISSUERS: JSON.stringify([{ ...signIn, required: 'access_as_user', admin: 'admin' }]),
          COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
          COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: this.isAzureEmulated
            ? emulator.resources[0]!.secondaryConnectionString
            : process.env['COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING'],
          IDENTITY_STORE_CONNECTION_STRING: this.#azurite.connectionString,
        },
        { isOnline: !this.isAzureEmulated },
      ),
    })
    this.#service.setClockOffset(emulator.clock.offset)
  }
}

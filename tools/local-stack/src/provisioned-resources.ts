import type { Emulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import type { Backend } from './backend.ts'
import { LocalEngine } from './pulumi/local-engine.ts'
import { startStandInProvider } from './stand-in-provider/stand-in-provider.ts'

/** Receives each completed step, for a transcript. */
export type OnStep = (name: string, result: string) => void

export interface ProvisionOptions {
  readonly cli: PulumiCommand
  /** Default: with access keys. */
  readonly keyless?: boolean
}

/** The Pulumi program's resources on the emulated Azure: genuine engine, stand-in provider. */
export class ProvisionedResources implements AsyncDisposable {
  readonly engine: LocalEngine
  /** Outputs of the stack, secrets included, in memory only. */
  readonly outputs: Readonly<Record<string, string>>
  /** Undefined if the resource is keyless. */
  readonly connectionString: string | undefined
  readonly #emulator: Emulator
  readonly #onStep: OnStep

  private constructor(
    engine: LocalEngine,
    outputs: Readonly<Record<string, string>>,
    { emulator, keyless, onStep }: { emulator: Emulator; keyless: boolean; onStep: OnStep },
  ) {
    this.engine = engine
    this.outputs = outputs
    this.connectionString = keyless ? undefined : outputs['connectionString']
    this.#emulator = emulator
    this.#onStep = onStep
  }

  get communicationEndpoint(): string {
    return this.outputs['communicationEndpoint']!
  }

  /** Runs `pulumi up`; `signal` cancels it. */
  static async create(
    { cli, keyless = false }: ProvisionOptions,
    { emulator, azurite }: Backend,
    { onStep, signal }: { onStep: OnStep; signal?: AbortSignal | undefined },
  ): Promise<ProvisionedResources> {
    await using parts = new AsyncDisposableStack()
    emulator.resourceManager.tableEndpoint = azurite.endpoint
    emulator.resourceManager.tableKeys = Azurite.accountKeys
    const provider = await startStandInProvider(emulator.resourceManager.servicePrincipal)
    const engine = parts.use(await LocalEngine.start(cli, provider))
    await engine.configure({
      'azure-native:location': 'westeurope',
      keyless: String(keyless),
      'issuers[0].issuer': emulator.entra.issuer,
      'issuers[0].audience': 'api://acs-kit',
      'issuers[0].kind': 'entra',
      'issuers[0].required': 'access_as_user',
      'issuers[0].admin': 'admin',
    })
    onStep('stack', 'local, with its state in a temporary folder')
    const outputs = await engine.up({
      onResource: (type, operation) => operation === 'created' && onStep(type, 'created'),
      ...(signal && { signal }),
    })
    onStep('outputs', 'read in memory, including the connection string')
    parts.move()
    return new ProvisionedResources(engine, outputs, { emulator, keyless, onStep })
  }

  /** Runs `pulumi destroy`. Rejects if a resource remains. */
  async destroy(): Promise<void> {
    let count = 0
    await this.engine.destroy({ onResource: () => count++ })
    this.#onStep('destroyed', `${count} resources`)
    const remaining = this.#emulator.resourceManager.resources().map(({ id }) => id.id)
    if (remaining.length > 0) throw new Error(`resources remain after pulumi destroy: ${remaining.join(', ')}`)
    this.#onStep('left', 'nothing: the resource manager has no resources')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.engine[Symbol.asyncDispose]()
  }
}

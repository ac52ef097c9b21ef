import type { AzureNativePlugin } from '@acs-kit/infra/azure-native-plugin'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import type { Backend } from './backend.ts'
import { startEmulatedEngine } from './pulumi/emulated-engine.ts'
import { toGenuineProvider } from './pulumi/genuine-provider.ts'
import type { ServicePackage } from './service-package.ts'

export interface ProvisionOptions {
  readonly cli: PulumiCommand
  /** Default: with access keys. */
  readonly keyless?: boolean
  /** The genuine provider. Default: the stand-in provider. */
  readonly plugin?: AzureNativePlugin | undefined
}

interface ProvisionContext extends ProvisionProgress {
  readonly backend: Backend
  /** Undefined if it is not deployed. */
  readonly servicePackage: ServicePackage | undefined
}

export interface ProvisionProgress {
  /** Receives each completed step, for a transcript. */
  readonly onStep: (name: string, result: string) => void
  /** Cancels `pulumi up`. */
  readonly signal?: AbortSignal | undefined
}

/** The Pulumi program's resources on the emulated Azure, created by the genuine engine. */
export interface ProvisionedResources extends AsyncDisposable {
  /** Variables with which a command of `infra` finds the stack and signs in. */
  readonly commandEnvironment: Readonly<Record<string, string | undefined>>
  /** Reads the outputs of the stack, secrets included, into memory only. */
  readOutputs(): Promise<Readonly<Record<string, string>>>
  /** Runs `pulumi destroy`, which `signal` cancels. Rejects if a resource remains. */
  destroy(signal?: AbortSignal): Promise<void>
}

/** Runs `pulumi up`. */
export async function provisionResources(
  { cli, keyless = false, plugin }: ProvisionOptions,
  { backend: { emulator, azurite, blobs }, servicePackage, onStep, signal }: ProvisionContext,
): Promise<ProvisionedResources> {
  await using parts = new AsyncDisposableStack()
  const provider = plugin && toGenuineProvider(plugin, emulator)
  const engine = parts.use(
    await startEmulatedEngine({
      cli,
      emulator,
      azurite,
      settings: { keyless: String(keyless) },
      ...(provider && { provider }),
      ...(servicePackage && { deployment: { blobs: blobs!, servicePackage } }),
    }),
  )
  onStep('stack', 'local, with its state in a temporary folder')
  await engine.up({
    onResource: (type, operation) => {
      if (operation === 'created')
        onStep(type, type === 'Blob' ? 'the package, uploaded to emulated blob storage (Azurite)' : 'created')
    },
    signal,
  })
  const owned = parts.move()
  return {
    commandEnvironment: {
      PULUMI_BACKEND_URL: engine.env['PULUMI_BACKEND_URL'],
      PULUMI_CONFIG_PASSPHRASE: engine.env['PULUMI_CONFIG_PASSPHRASE'],
      PULUMI_HOME: engine.env['PULUMI_HOME'],
      NODE_EXTRA_CA_CERTS: emulator.caPath,
      IDENTITY_ENDPOINT: emulator.entra.managedIdentity.endpoint,
      IDENTITY_HEADER: emulator.entra.managedIdentity.header,
    },
    readOutputs: () => engine.readOutputs(),
    async destroy(destroySignal) {
      let count = 0
      await engine.destroy({ onResource: () => count++, signal: destroySignal })
      onStep('destroyed', `${count} resources`)
      const remaining = emulator.resourceManager.resources().map(({ id }) => id.id)
      if (remaining.length > 0) {
        const list = remaining.join(', ')
        throw new Error(`resources remain after pulumi destroy, check the program in infra for retainOnDelete: ${list}`)
      }
      onStep('remaining', 'none')
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

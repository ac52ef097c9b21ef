import type { Emulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { teamsExtension, trustedIssuer } from '../backend.ts'
import type { ServicePackage } from '../service-package.ts'
import { startStandInProvider } from '../stand-in-provider/stand-in-provider.ts'
import { LocalEngine, type EngineProvider } from './local-engine.ts'

export interface EmulatedEngineOptions {
  readonly cli: PulumiCommand
  readonly emulator: Emulator
  /** Serves the tables of the emulated storage accounts. Default: they have none. */
  readonly azurite?: Azurite | undefined
  /** Serves their blobs, and the package of the service that is deployed to them. Default: it is not deployed. */
  readonly deployment?: { readonly blobs: Azurite; readonly servicePackage: ServicePackage } | undefined
  /** Default: the stand-in provider, on the emulator. The engine stops it. */
  readonly provider?: EngineProvider
  /** Configuration of the stack in addition to its region and the emulator's sign-in. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Starts the genuine engine on an emulated Azure, with a stack that is configured but has no resources. */
export async function startEmulatedEngine(options: EmulatedEngineOptions): Promise<LocalEngine> {
  const { cli, emulator, azurite, deployment, settings } = options
  const { resourceManager, entra } = emulator
  if (azurite ?? deployment) {
    resourceManager.storage = {
      ...(azurite && { tableEndpoint: azurite.endpoint }),
      ...(deployment && { blobEndpoint: deployment.blobs.endpoint }),
      keys: Azurite.accountKeys,
    }
  }
  await using parts = new AsyncDisposableStack()
  const folder = parts.use(new TemporaryFolder())
  // After the folder, which may not be writable: from here on, the engine stops the provider.
  const provider = options.provider ?? (await startStandInProvider(resourceManager.servicePrincipal))
  const engine = parts.use(await LocalEngine.start(cli, provider, folder))
  const issuer = Object.entries(trustedIssuer(entra)).map(([name, value]) => [`issuers[0].${name}`, value])
  await engine.configure({
    'azure-native:location': 'westeurope',
    ...Object.fromEntries(issuer),
    'teamsExtension.tenantId': teamsExtension.tenantId,
    'teamsExtension.clientIds[0]': teamsExtension.clientIds[0]!,
    ...(deployment ? { packagePath: deployment.servicePackage.path } : { deployPackage: 'false' }),
    ...settings,
  })
  await deployment?.servicePackage.built
  // From here on, the engine stops and removes everything.
  parts.move()
  return engine
}

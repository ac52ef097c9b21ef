import type { Emulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { buildArtifact } from 'fastify-communication-tokens/build'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { teamsExtension, trustedIssuer } from '../backend.ts'
import { startStandInProvider } from '../stand-in-provider/stand-in-provider.ts'
import { LocalEngine, type EngineProvider } from './local-engine.ts'

export interface EmulatedEngineOptions {
  readonly cli: PulumiCommand
  readonly emulator: Emulator
  /** Serves the tables of the emulated storage accounts. Default: they have none. */
  readonly azurite?: Azurite | undefined
  /** Serves their blobs, to which the service's package is then deployed. Default: it is not deployed. */
  readonly blobs?: Azurite | undefined
  /** Default: the stand-in provider, on the emulator. The engine stops it. */
  readonly provider?: EngineProvider
  /** Configuration of the stack in addition to its region and the emulator's sign-in. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Starts the genuine engine on an emulated Azure, with a stack that is configured but has no resources. */
export async function startEmulatedEngine(options: EmulatedEngineOptions): Promise<LocalEngine> {
  const { cli, emulator, azurite, blobs, settings } = options
  const { resourceManager, entra } = emulator
  if (azurite ?? blobs) {
    resourceManager.storage = {
      ...(azurite && { tableEndpoint: azurite.endpoint }),
      ...(blobs && { blobEndpoint: blobs.endpoint }),
      keys: Azurite.accountKeys,
    }
  }
  await using parts = new AsyncDisposableStack()
  const folder = parts.use(new TemporaryFolder())
  // After the folder, which may not be writable: from here on, the engine stops the provider.
  const provider = options.provider ?? (await startStandInProvider(resourceManager.servicePrincipal))
  const artifact = folder.join('token-service')
  // From the current sources, and not to the folder of the checkout, where another run may build as well.
  const building = blobs ? buildArtifact(artifact) : Promise.resolve()
  parts.defer(() => building.catch(() => {}))
  const engine = parts.use(await LocalEngine.start(cli, provider, folder))
  const issuer = Object.entries(trustedIssuer(entra)).map(([name, value]) => [`issuers[0].${name}`, value])
  await engine.configure({
    'azure-native:location': 'westeurope',
    ...Object.fromEntries(issuer),
    'teamsExtension.tenantId': teamsExtension.tenantId,
    'teamsExtension.clientIds[0]': teamsExtension.clientIds[0]!,
    ...(blobs ? { packagePath: `${artifact}.zip` } : { deployPackage: 'false' }),
    ...settings,
  })
  await building
  // From here on, the engine stops and removes everything.
  parts.move()
  return engine
}

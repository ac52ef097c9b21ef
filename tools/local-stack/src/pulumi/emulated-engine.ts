import type { Emulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { teamsExtension, trustedIssuer } from '../backend.ts'
import { startStandInProvider, type StandInProvider } from '../stand-in-provider/stand-in-provider.ts'
import { LocalEngine } from './local-engine.ts'

export interface EmulatedEngineOptions {
  readonly cli: PulumiCommand
  readonly emulator: Emulator
  /** Serves the tables of the emulated storage accounts. Default: they have none. */
  readonly azurite?: Azurite
  /** Default: the stand-in provider, on the emulator. The engine stops it. */
  readonly provider?: StandInProvider
  /** Configuration of the stack in addition to its region and the emulator's sign-in. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Starts the genuine engine on an emulated Azure, with a stack that is configured but has no resources. */
export async function startEmulatedEngine(options: EmulatedEngineOptions): Promise<LocalEngine> {
  const { cli, emulator, azurite, settings } = options
  const { resourceManager, entra } = emulator
  if (azurite) resourceManager.storage = { tableEndpoint: azurite.endpoint, keys: Azurite.accountKeys }
  const provider = options.provider ?? (await startStandInProvider(resourceManager.servicePrincipal))
  await using parts = new AsyncDisposableStack()
  const engine = parts.use(await LocalEngine.start(cli, provider))
  const issuer = Object.entries(trustedIssuer(entra)).map(([name, value]) => [`issuers[0].${name}`, value])
  await engine.configure({
    'azure-native:location': 'westeurope',
    ...Object.fromEntries(issuer),
    'teamsExtension.tenantId': teamsExtension.tenantId,
    'teamsExtension.clientIds[0]': teamsExtension.clientIds[0]!,
    ...settings,
  })
  parts.move()
  return engine
}

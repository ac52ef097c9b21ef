import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { afterAll, beforeAll } from 'vitest'
import { ServicePackage } from '../src/service-package.ts'
import { startEmulatedEngine, type EmulatedEngineOptions } from '../src/pulumi/emulated-engine.ts'
import type { LocalEngine } from '../src/pulumi/local-engine.ts'
import { cli } from './pulumi-process.ts'

interface EngineFixture {
  readonly emulator: Emulator
  readonly engine: LocalEngine
  /** Undefined unless requested. */
  readonly azurite: Azurite | undefined
  /** Undefined unless the storage is for blobs. */
  readonly servicePackage: ServicePackage | undefined
}

interface EngineFixtureOptions extends Pick<EmulatedEngineOptions, 'settings'> {
  /** Service of Azurite in which the storage accounts of the stack are. Default: none. */
  readonly storage?: 'table' | 'blob'
}

/**
 * Starts an emulated Azure and an engine for the tests of a `describe`, and stops both after them. Its stack is configured, but
 * has no resources. `onStart` runs before the first test.
 */
export function useEngine(
  onStart: (fixture: EngineFixture) => unknown,
  { storage, settings }: EngineFixtureOptions = {},
): void {
  const open = new AsyncDisposableStack()
  beforeAll(async () => {
    const emulator = open.use(await startEmulator())
    const azurite = storage && open.use(await Azurite.start({ service: storage, tls: emulator.tlsFiles, oauth: true }))
    const servicePackage = storage === 'blob' ? open.use(new ServicePackage()) : undefined
    const accounts = azurite && servicePackage ? { deployment: { blobs: azurite, servicePackage } } : { azurite }
    const engine = open.use(
      await startEmulatedEngine({ cli: cli!, emulator, ...accounts, ...(settings && { settings }) }),
    )
    await onStart({ emulator, engine, azurite, servicePackage })
  })
  afterAll(() => open.disposeAsync())
}

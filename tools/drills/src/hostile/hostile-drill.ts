import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { expectHealthy } from '../fuzz/health.ts'
import { sendGarbage } from './garbage.ts'
import { sendLargeBodies } from './large-bodies.ts'
import { openManyConnections } from './many-connections.ts'
import { connectSlowClients } from './slow-clients.ts'

export interface HostileOptions {
  /** Connections with malformed data, before and after TLS. */
  readonly garbage: number
  /** Slow clients of each kind. */
  readonly slow: number
  /** Large bodies of each kind. */
  readonly large: number
  readonly connections: number
  readonly seed: number
}

/** Connects hostile clients to an emulator. Throws unless it rejects them and stays healthy. */
export async function runHostileDrill({ garbage, slow, large, connections, seed }: HostileOptions): Promise<void> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  const attack = async () => {
    await sendGarbage(emulator, garbage, seed)
    await expectHealthy(emulator)
    await sendLargeBodies(emulator, large)
    await expectHealthy(emulator)
    await openManyConnections(emulator, connections)
    await expectHealthy(emulator)
  }
  // Slow clients stay connected during all other attacks.
  await Promise.all([connectSlowClients(emulator, slow), attack()])
  await expectHealthy(emulator)
}

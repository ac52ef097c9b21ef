import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { expectSound } from '../fuzz/soundness.ts'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { joinInCrowd } from './crowd.ts'
import { sendGarbage } from './garbage.ts'
import { sendLargeBodies } from './large-bodies.ts'
import { outlastSlowClients } from './slow-clients.ts'

export interface HostileOptions {
  readonly garbage: number
  readonly slow: number
  readonly large: number
  readonly crowd: number
  readonly seed: number
}

/** Lets clients of every bad sort loose on an emulator of its own. Throws unless it outlives and refuses them. */
export async function drillHostileClients({ garbage, slow, large, crowd, seed }: HostileOptions): Promise<void> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  const attacks = [
    () => sendGarbage(emulator, { connections: garbage, seed }),
    () => sendLargeBodies(emulator, { each: large }),
    () => joinInCrowd(emulator, { connections: crowd }),
  ]
  const attack = async () => {
    for (const next of attacks) {
      await next()
      await expectSound(emulator)
    }
  }
  // The slow ones stay connected through all the others.
  await Promise.all([outlastSlowClients(emulator, { each: slow }), attack()])
  await expectSound(emulator)
}

import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { fuzzAdministration } from './administration-fuzz.ts'
import { fuzzIdentityRoutes, type FuzzOptions } from './identity-fuzz.ts'
import { expectSound } from './soundness.ts'

/**
 * Sends generated requests to an emulator of its own. Throws when one is answered wrongly, or when the emulator is not
 * sound afterwards. Returns how often the identity routes gave each answer.
 */
export async function drillFuzz(options: FuzzOptions): Promise<Map<string, number>> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  const answers = await fuzzIdentityRoutes(emulator, options)
  await expectSound(emulator)
  await fuzzAdministration(emulator, options)
  // What it was sent may have replaced the key.
  await expectSound(emulator, await emulator.regenerateKey('primary'))
  return answers
}

import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { fuzzAdministration } from './administration-fuzz.ts'
import type { FuzzOptions } from './fuzz.ts'
import { expectHealthy } from './health.ts'
import { fuzzIdentityRoutes } from './identity-fuzz.ts'

/**
 * Fuzzes an emulator. Throws if a response is wrong or if the emulator is not healthy afterwards. Returns how often each
 * response of the identity routes occurred.
 */
export async function runFuzzDrill(options: FuzzOptions): Promise<Map<string, number>> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  const responses = await fuzzIdentityRoutes(emulator, options)
  await expectHealthy(emulator)
  await fuzzAdministration(emulator, options)
  // A generated request may have replaced the key.
  await expectHealthy(emulator, await emulator.regenerateKey('primary'))
  return responses
}

import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import type { FuzzOptions } from '../fuzz/fuzz.ts'
import { expectHealthy } from '../fuzz/health.ts'
import { fuzzFrames } from './frame-fuzz.ts'
import { fuzzChatRoutes } from './route-fuzz.ts'

/**
 * Fuzzes the chat of an emulator with requests and then with as many frames. Throws if a response is wrong or if the emulator is
 * not healthy afterwards. Returns what occurred.
 */
export async function runChatFuzzDrill(options: FuzzOptions) {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  const { responses, served } = await fuzzChatRoutes(emulator, options)
  await expectHealthy(emulator)
  const frames = await fuzzFrames(emulator, options)
  await expectHealthy(emulator)
  return { responses, served, frames }
}

import { runScript } from '@acs-kit/test-support/run-script'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compare } from '../interleaved.ts'
import type { Measurement } from '../measurement.ts'

/** Start of an emulator in process with existing keys, next to an empty HTTPS server of Node. */
export async function benchmarkEmulatorStart(): Promise<Measurement[]> {
  using keys = new TemporaryFolder()
  const startMs = async (server: 'emulator' | 'https') =>
    Number(await runScript(import.meta.resolve('./start-time.ts'), [server, keys.path]))
  // Creates the keys.
  await startMs('emulator')
  return [
    await compare({
      name: 'emulator started in process',
      unit: 'ms',
      rounds: 11,
      measure: () => startMs('emulator'),
      reference: { name: 'an empty HTTPS server of Node', measure: () => startMs('https') },
      goal: { of: 'value', is: 'below', limit: 100 },
    }),
  ]
}

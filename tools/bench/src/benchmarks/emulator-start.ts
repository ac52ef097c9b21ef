import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compare } from '../interleaved.ts'
import type { Measurement } from '../measurement.ts'

/** Start of an emulator in process with existing keys, next to an empty HTTPS server of Node. */
export async function benchmarkEmulatorStart(): Promise<Measurement[]> {
  using keys = new TemporaryFolder()
  const script = fileURLToPath(import.meta.resolve('./start-time.ts'))
  const startMs = async (server: 'emulator' | 'https') => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, server, keys.path])
    return Number(stdout)
  }
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

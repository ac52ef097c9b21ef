import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { makeRoundTrip } from './round-trip.ts'

/** Throws unless the emulator responds, serves the real SDK and has logged nothing but rejected requests. */
export async function expectHealthy(emulator: EmulatorProcess, accessKey = emulator.accessKey): Promise<void> {
  try {
    await emulator.administer('GET', 'health')
    await makeRoundTrip(emulator, accessKey)
  } catch (cause) {
    throw new Error(`the emulator is unhealthy; its output: ${emulator.server.stderr.slice(-2000)}`, { cause })
  }
  const unexpected = findUnexpectedLine(emulator.server.stderr)
  if (unexpected !== undefined) throw new Error(`unexpected output of the emulator: ${unexpected}`)
}

const rejectedRequest = /^communication-emulator: \S+ \S+ (\d{3} \w+( \{.*\})?|connection cut by a fault)$/

/** Returns a line of standard error that is not about a rejected request: a failure of the emulator or a warning of Node. */
export function findUnexpectedLine(stderr: string): string | undefined {
  return stderr.split('\n').find((line) => line !== '' && !rejectedRequest.test(line))
}

import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { makeRoundTrip } from './round-trip.ts'

/** Throws unless the emulator is alive, serves the real SDK, and has nothing but refusals to tell of. */
export async function expectSound(emulator: EmulatorProcess, accessKey = emulator.accessKey): Promise<void> {
  try {
    await emulator.administer('GET', 'health')
    await makeRoundTrip(emulator, accessKey)
  } catch (cause) {
    throw new Error(`the emulator is not sound; it printed: ${emulator.server.stderr.slice(-2000)}`, { cause })
  }
  const strange = findStrangeLine(emulator.server.stderr)
  if (strange !== undefined) throw new Error(`the emulator printed: ${strange}`)
}

const refusal = /^communication-emulator: \S+ \S+ (\d{3} \w+( \{.*\})?|connection cut by a fault)$/

/** A line on standard error that tells of no refused request: a failure of the emulator, or a warning of Node. */
export function findStrangeLine(stderr: string): string | undefined {
  return stderr.split('\n').find((line) => line !== '' && !refusal.test(line))
}

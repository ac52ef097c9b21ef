import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compare } from '../interleaved.ts'
import { measureRate, sendMany, signRequest } from '../load.ts'
import { createMeasurement, type Measurement } from '../measurement.ts'

const few = 100
const many = 100_000

/** Costs of a hundred thousand identities: memory for each, and time to look one up. */
export async function benchmarkManyIdentities(): Promise<Measurement[]> {
  using keys = new TemporaryFolder()
  await using small = await EmulatorProcess.start({ keyFolder: keys.path })
  await using large = await EmulatorProcess.start({ keyFolder: keys.path })
  await createIdentities(small, few)
  await createIdentities(large, few)
  // Grows code and heap to their size under load, which does not depend on the number of identities.
  await measureLookUps(large, await large.identityIds(), 4)
  const before = await large.server.residentKilobytes()
  await createIdentities(large, many)
  const after = await large.server.residentKilobytes()

  const smallIds = await small.identityIds()
  const largeIds = await large.identityIds()
  await measureLookUps(small, smallIds, 4)
  await measureLookUps(large, largeIds, 1)
  return [
    createMeasurement({
      name: 'resident memory for an identity',
      value: ((after - before) * 1024) / many,
      unit: 'bytes',
      reference: { name: 'the text of its id', value: largeIds[0]!.length },
      goal: { of: 'value', is: 'below', limit: 1024 },
    }),
    await compare({
      name: `look-up among ${many} identities`,
      unit: 'µs',
      measure: () => measureLookUps(large, largeIds, 2),
      reference: { name: `among ${few}`, measure: () => measureLookUps(small, smallIds, 2) },
      goal: { of: 'ratio', is: 'below', limit: 1.2 },
    }),
  ]
}

export function createIdentities(emulator: EmulatorProcess, amount: number): Promise<void> {
  const request = signRequest(emulator, { method: 'POST', path: '/identities?api-version=2023-10-01' })
  return sendMany(emulator.endpoint, request, amount)
}

/** Microseconds for a look-up of one of a thousand identities, which are evenly spread over those given. */
async function measureLookUps(emulator: EmulatorProcess, ids: readonly string[], seconds: number): Promise<number> {
  const requests = Array.from({ length: 1000 }, (_, index) => {
    const id = ids[Math.floor((index * ids.length) / 1000)]!
    const path = `/identities/${encodeURIComponent(id)}?api-version=2025-03-02-preview`
    return signRequest(emulator, { method: 'GET', path })
  })
  return 1e6 / (await measureRate(emulator.endpoint, requests, seconds))
}

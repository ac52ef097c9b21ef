import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compare } from '../interleaved.ts'
import { measureRate, signRequest } from '../load.ts'
import type { Measurement } from '../measurement.ts'
import { AzuriteInserts } from './azurite-inserts.ts'

const path = '/identities?api-version=2023-10-01'

/** Creation of identities, next to inserts into Azurite: both keep one small row in memory, over HTTPS. */
export async function benchmarkIdentityCreate(): Promise<Measurement[]> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  await using inserts = await AzuriteInserts.start(emulator, keys.path)
  const create = (seconds: number) =>
    measureRate(emulator.endpoint, [signRequest(emulator, { method: 'POST', path })], seconds)
  await create(1)
  await inserts.measureRate(1)
  return [
    await compare({
      name: 'identities created',
      unit: '/s',
      measure: () => create(2),
      reference: { name: 'rows inserted into Azurite', measure: () => inserts.measureRate(2) },
      goal: { of: 'ratio', is: 'at least', limit: 3 },
    }),
  ]
}

import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { createFigure, type Figure } from '../figure.ts'
import { measureRate, sendMany } from '../load.ts'
import { measureByTurns } from '../rounds.ts'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'

const few = 100
const many = 100_000
const creation = '/identities?api-version=2023-10-01'

/** What a hundred thousand identities cost: memory for each, and time to find one of them. */
export async function benchmarkManyIdentities(): Promise<Figure[]> {
  using keys = new TemporaryFolder()
  await using small = await EmulatorProcess.start({ keyFolder: keys.path })
  await using large = await EmulatorProcess.start({ keyFolder: keys.path })
  await populate(small, few)
  await populate(large, few)
  // Brings code and heap to the size that they have under load, whatever is stored.
  await lookUp(large, await large.identityIds(), 4)
  const before = await large.residentKilobytes()
  await populate(large, many)
  const after = await large.residentKilobytes()

  const smallIds = await small.identityIds()
  const largeIds = await large.identityIds()
  await lookUp(small, smallIds, 4)
  await lookUp(large, largeIds, 1)
  const rates = await measureByTurns(
    5,
    () => lookUp(large, largeIds, 2),
    () => lookUp(small, smallIds, 2),
  )
  return [
    createFigure(
      {
        name: 'resident memory for an identity',
        value: ((after - before) * 1024) / many,
        unit: 'bytes',
        reference: { name: 'the text of its id', value: largeIds[0]!.length },
      },
      { of: 'value', is: 'below', limit: 1024 },
    ),
    createFigure(
      {
        name: `look-up among ${many} identities`,
        value: 1e6 / rates.subject,
        unit: 'µs',
        reference: { name: `among ${few}`, value: 1e6 / rates.reference },
      },
      { of: 'ratio', is: 'below', limit: 1.2 },
    ),
  ]
}

async function populate({ endpoint, host, accessKey }: EmulatorProcess, amount: number): Promise<void> {
  const headers = signedHeaders({ method: 'POST', path: creation, host, accessKey: accessKey! })
  await sendMany(endpoint, { method: 'POST', path: creation, headers }, amount)
}

/** Look-ups a second of a thousand identities, evenly taken from those given. */
function lookUp({ endpoint, host, accessKey }: EmulatorProcess, ids: readonly string[], seconds: number) {
  const requests = Array.from({ length: 1000 }, (_, index) => {
    const id = ids[Math.floor((index * ids.length) / 1000)]!
    const path = `/identities/${encodeURIComponent(id)}?api-version=2025-03-02-preview`
    return {
      method: 'GET' as const,
      path,
      headers: signedHeaders({ method: 'GET', path, host, accessKey: accessKey! }),
    }
  })
  return measureRate(endpoint, requests, seconds)
}

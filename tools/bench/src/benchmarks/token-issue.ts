import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { Bench } from 'tinybench'
import { compare } from '../interleaved.ts'
import { measureRateAsleep, signRequest } from '../load.ts'
import type { Measurement } from '../measurement.ts'
import { createIdentities } from './many-identities.ts'

const seconds = 3
const identities = 500

/**
 * Issuing of tokens, next to the bare signature that each token needs. The reference uses one thread; the emulator handles requests
 * on one and signs on others.
 */
export async function benchmarkTokenIssue(): Promise<Measurement[]> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  await createIdentities(emulator, identities)
  const ids = await emulator.identityIds()
  const issue = (duration: number) => {
    const requests = ids.map((id) => {
      const path = `/identities/${encodeURIComponent(id)}/:issueAccessToken?api-version=2023-10-01`
      const headers = { 'content-type': 'application/json' }
      return signRequest(emulator, { method: 'POST', path, headers, body: '{"scopes":["chat","voip"]}' })
    })
    return measureRateAsleep(emulator.endpoint, requests, duration)
  }
  await issue(1)
  const [{ token }] = await emulator.administer<[{ token: string }]>('GET', 'tokens?reveal=true')
  const signedBytes = token.lastIndexOf('.')
  return [
    await compare({
      name: 'tokens issued',
      unit: '/s',
      measure: () => issue(seconds),
      reference: {
        name: `bare RSA-2048 signatures over ${signedBytes} bytes, one thread`,
        measure: async () => measureSigningRate(signedBytes),
      },
      goal: { of: 'ratio', is: 'at least', limit: 0.7 },
    }),
  ]
}

/** How often per second this thread signs a number of bytes with RSA-2048 and SHA-256. */
function measureSigningRate(bytes: number): number {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const data = randomBytes(bytes)
  const bench = new Bench({ time: seconds * 1000, warmupTime: 250 })
  bench.add('sign', () => void sign('sha256', data, privateKey))
  const [task] = bench.runSync()
  const { result } = task!
  if (result.state !== 'completed') throw new Error(`signing ended in the state ${result.state}`)
  return result.throughput.mean
}

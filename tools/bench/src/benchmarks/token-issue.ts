import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { runScript } from '@acs-kit/test-support/run-script'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compare } from '../interleaved.ts'
import { measureRate } from '../load.ts'
import type { Measurement } from '../measurement.ts'
import { createIdentities } from './many-identities.ts'

const seconds = 3
const identities = 500

/** Issuing of tokens, next to the bare signature that each token needs. */
export async function benchmarkTokenIssue(): Promise<Measurement[]> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  const { host, endpoint } = emulator
  await createIdentities(emulator, identities)
  const ids = await emulator.identityIds()
  const issue = (duration: number) => {
    const requests = ids.map((id) => {
      const path = `/identities/${encodeURIComponent(id)}/:issueAccessToken?api-version=2023-10-01`
      const body = '{"scopes":["chat","voip"]}'
      const signed = signedHeaders({ method: 'POST', path, host, accessKey: emulator.accessKey!, body })
      return { method: 'POST' as const, path, body, headers: { ...signed, 'content-type': 'application/json' } }
    })
    return measureRate(endpoint, requests, duration)
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
        measure: async () =>
          Number(await runScript(import.meta.resolve('./signing-rate.ts'), [signedBytes, seconds * 1000])),
      },
      goal: { of: 'ratio', is: 'at least', limit: 0.6 },
    }),
  ]
}

import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { createFigure, type Figure } from '../figure.ts'
import { measureRate, sendMany } from '../load.ts'
import { measureByTurns } from '../rounds.ts'
import { runScript } from '@acs-kit/test-support/run-script'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'

const seconds = 3
const identities = 500

/** Issuing a token, beside the bare signature that it cannot do without. */
export async function benchmarkTokenIssue(): Promise<Figure[]> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  const { host, endpoint } = emulator
  const accessKey = emulator.accessKey!
  const creation = '/identities?api-version=2023-10-01'
  const headers = signedHeaders({ method: 'POST', path: creation, host, accessKey })
  await sendMany(endpoint, { method: 'POST', path: creation, headers }, identities)
  const ids = await emulator.identityIds()
  const issue = (duration: number) => {
    const requests = ids.map((id) => {
      const path = `/identities/${encodeURIComponent(id)}/:issueAccessToken?api-version=2023-10-01`
      const body = '{"scopes":["chat","voip"]}'
      const signed = signedHeaders({ method: 'POST', path, host, accessKey, body })
      return { method: 'POST' as const, path, body, headers: { ...signed, 'content-type': 'application/json' } }
    })
    return measureRate(endpoint, requests, duration)
  }
  await issue(1)
  const bytes = await signedBytes(emulator)
  const { subject, reference } = await measureByTurns(
    5,
    () => issue(seconds),
    async () => Number(await runScript(import.meta.resolve('./signing-rate.ts'), [bytes, seconds * 1000])),
  )
  return [
    createFigure(
      {
        name: 'tokens issued',
        value: subject,
        unit: '/s',
        reference: { name: `bare RSA-2048 signatures over ${bytes} bytes, one thread`, value: reference },
      },
      { of: 'ratio', is: 'at least', limit: 0.6 },
    ),
  ]
}

/** How long the signed part of a token is. */
async function signedBytes(emulator: EmulatorProcess): Promise<number> {
  const [{ token }] = await emulator.administer<[{ token: string }]>('GET', 'tokens?reveal=true')
  return token.lastIndexOf('.')
}

import { Backend } from '@acs-kit/local-stack/backend'
import { CommunicationIdentityClient } from '@azure/communication-identity'
import { compare, measureInterleaved, timeMs } from '../../interleaved.ts'
import type { Measurement } from '../../measurement.ts'
import { fetchToken, unlimited } from './token-requests.ts'

const latencyMs = 100
const tokensPerRound = 10

/** A token that the service first fetches from ACS, next to the SDK's own call. */
export async function benchmarkMissedToken(): Promise<Measurement[]> {
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const { emulator, issuer } = backend
  const { url } = await backend.startService()
  const signInToken = await issuer.sign()
  const user = JSON.parse(await fetchToken(url, signInToken)) as { communicationUserId: string }
  const tlsOptions = { ca: emulator.ca }
  const client = new CommunicationIdentityClient(emulator.connectionString, { tlsOptions })
  const miss = () => medianTimeMs(() => fetchToken(url, signInToken, { refresh: true }))
  const call = () => medianTimeMs(() => client.getToken(user, ['chat', 'voip']))
  await miss()
  await call()
  await emulator.administer('POST', 'faults', { operation: 'issueAccessToken', latencyMs })
  return [
    await compare({
      name: `token that is not cached, with ${latencyMs} ms to ACS`,
      unit: 'ms',
      measure: miss,
      reference: { name: "the SDK's getToken", measure: call },
      goal: { of: 'ratio', is: 'below', limit: 1.1 },
    }),
  ]
}

/** Median of repetitions, one after the other. */
async function medianTimeMs(work: () => Promise<unknown>): Promise<number> {
  const [medianMs] = await measureInterleaved(tokensPerRound, [() => timeMs(work)])
  return medianMs!
}

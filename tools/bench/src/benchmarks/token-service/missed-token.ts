import { randomUUID } from 'node:crypto'
import { Backend } from '@acs-kit/local-stack/backend'
import { CommunicationIdentityClient, type TokenScope } from '@azure/communication-identity'
import { compare, measureInterleaved, timeMs } from '../../interleaved.ts'
import type { Measurement } from '../../measurement.ts'
import { fetchToken, unlimited } from './token-requests.ts'

const latencyMs = 100
const tokensPerRound = 10
const scopes: TokenScope[] = ['chat', 'voip']

/** A token that the service first fetches from ACS, of a known user and of a new one, next to the SDK's own calls. */
export async function benchmarkMissedToken(): Promise<Measurement[]> {
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const { emulator, issuer } = backend
  const { url } = await backend.startService()
  const client = new CommunicationIdentityClient(emulator.connectionString, { tlsOptions: { ca: emulator.ca } })
  const signInToken = await issuer.sign()
  const user = JSON.parse(await fetchToken(url, signInToken)) as { communicationUserId: string }
  const miss = () => medianTimeMs(() => fetchToken(url, signInToken, { scopes, refresh: true }))
  const issue = () => medianTimeMs(() => client.getToken(user, scopes))
  const firstLogin = async () => {
    const signInTokens = await Promise.all(
      Array.from({ length: tokensPerRound }, () => issuer.sign({ sub: randomUUID() })),
    )
    return medianTimeMs(() => fetchToken(url, signInTokens.pop()!, { scopes }))
  }
  const create = () => medianTimeMs(() => client.createUserAndToken(scopes))
  for (const warmUp of [miss, issue, firstLogin, create]) await warmUp()
  for (const operation of ['issueAccessToken', 'createIdentity']) {
    await emulator.administer('POST', 'faults', { operation, latencyMs })
  }
  return [
    await compare({
      name: `token that is not cached, with ${latencyMs} ms to ACS`,
      unit: 'ms',
      measure: miss,
      reference: { name: "the SDK's getToken", measure: issue },
      goal: { of: 'ratio', is: 'below', limit: 1.1 },
    }),
    await compare({
      name: `first token of a new user, with ${latencyMs} ms to ACS`,
      unit: 'ms',
      measure: firstLogin,
      reference: { name: "the SDK's createUserAndToken", measure: create },
      goal: { of: 'ratio', is: 'below', limit: 1.15 },
    }),
  ]
}

/** Median of repetitions, one after the other. */
async function medianTimeMs(work: () => Promise<unknown>): Promise<number> {
  const [medianMs] = await measureInterleaved(tokensPerRound, [() => timeMs(work)])
  return medianMs!
}

import { CommunicationIdentityClient } from '@azure/communication-identity'
import { createFigure, type Figure } from '../../figure.ts'
import { measureByTurns, median } from '../../rounds.ts'
import { trustAuthority } from '@acs-kit/test-support/trust'
import { fetchTokens, requestToken } from './token-requests.ts'
import { TokenServiceStack } from '@acs-kit/local-stack/token-service-stack'

const latencyMs = 100
const rounds = 5
const tokensPerRound = 10

/** A token that the service has to fetch from Azure first, beside the SDK's own call. */
export async function benchmarkMissedToken(): Promise<Figure[]> {
  await using stack = await TokenServiceStack.start()
  const { address } = await stack.startService()
  const [signInToken] = await stack.signInTokens(1)
  const { communicationUserId } = JSON.parse(await fetchTokens(address, [signInToken!])) as {
    communicationUserId: string
  }
  trustAuthority(stack.emulator.ca)
  const client = new CommunicationIdentityClient(stack.emulator.connectionString())
  const miss = () => medianTime(() => requestToken(address, signInToken!, { refresh: true }))
  const call = () => medianTime(() => client.getToken({ communicationUserId }, ['chat', 'voip']))
  await miss()
  await call()
  await stack.emulator.administer('POST', 'faults', { operation: 'issueAccessToken', latencyMs })
  const { subject, reference } = await measureByTurns(rounds, miss, call)
  return [
    createFigure(
      {
        name: `token that is not cached, with ${latencyMs} ms to Azure`,
        value: subject,
        unit: 'ms',
        reference: { name: 'the SDK’s getToken', value: reference },
      },
      { of: 'ratio', is: 'below', limit: 1.1 },
    ),
  ]
}

/** In milliseconds, one after the other. */
async function medianTime(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < tokensPerRound; count++) {
    const start = performance.now()
    await work()
    times.push(performance.now() - start)
  }
  return median(times)
}

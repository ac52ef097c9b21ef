import { createFigure, type Figure } from '../../figure.ts'
import { measureRate } from '../../load.ts'
import { measurePacedLatency } from '../../paced-load.ts'
import { measureByTurns } from '../../rounds.ts'
import { TokenServiceStack } from '@acs-kit/local-stack/token-service-stack'
import { fetchTokens, tokenRequests } from './token-requests.ts'

const users = 200
const seconds = 3
const rounds = 5

/** Handing out cached tokens with everything on, beside a bare Fastify route that answers the same. */
export async function benchmarkCachedToken(): Promise<Figure[]> {
  await using stack = await TokenServiceStack.start()
  const { address } = await stack.startService()
  const signInTokens = await stack.signInTokens(users)
  const body = await fetchTokens(address, signInTokens)
  const bareAddress = await stack.startServer(import.meta.resolve('./bare-server.ts'), [body])
  const requests = tokenRequests(signInTokens)
  await measureRate(address, requests, seconds)
  await measureRate(bareAddress, requests, seconds)

  const figures: Figure[] = []
  let bareRate = 0
  for (const connections of [64, 16]) {
    const rates = await measureByTurns(
      rounds,
      () => measureRate(address, requests, seconds, connections),
      () => measureRate(bareAddress, requests, seconds, connections),
    )
    bareRate = rates.reference
    figures.push(
      createFigure(
        {
          name: `cached tokens over ${connections} connections`,
          value: rates.subject,
          unit: '/s',
          reference: { name: 'a bare Fastify route', value: rates.reference },
        },
        { of: 'ratio', is: 'at least', limit: 0.6 },
      ),
    )
  }
  const rate = Math.floor(bareRate / 2)
  const latencies = await measureByTurns(
    rounds,
    () => measurePacedLatency(address, requests, { rate, seconds, percentile: 0.99 }),
    () => measurePacedLatency(bareAddress, requests, { rate, seconds, percentile: 0.99 }),
  )
  return [
    ...figures,
    createFigure(
      {
        name: `99th percentile of a cached token, ${rate}/s`,
        value: latencies.subject,
        unit: 'ms',
        reference: { name: 'a bare Fastify route', value: latencies.reference },
      },
      { of: 'ratio', is: 'below', limit: 1.5 },
    ),
  ]
}

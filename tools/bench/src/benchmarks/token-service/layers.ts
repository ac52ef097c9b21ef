import { createFigure, type Figure } from '../../figure.ts'
import { measureRate } from '../../load.ts'
import { measureAllByTurns } from '../../rounds.ts'
import { fetchTokens, tokenRequests } from './token-requests.ts'
import { TokenServiceStack } from '@acs-kit/local-stack/token-service-stack'

const users = 200
const seconds = 2
const rounds = 5

/** From the bottom to the top; each server has all layers below its own. */
const layers = {
  contract: '+ validation and serialisation by the contract',
  browsers: '+ security headers and CORS',
  authentication: '+ authentication, of verified tokens',
  'rate limit': '+ rate limit of the user',
  token: '+ policy and token cache',
  audit: '+ audit line',
}

/** What each layer of the service costs. */
export async function benchmarkLayers(): Promise<Figure[]> {
  await using stack = await TokenServiceStack.start()
  const { address } = await stack.startService()
  const signInTokens = await stack.signInTokens(users)
  const body = await fetchTokens(address, signInTokens)
  const script = import.meta.resolve('../../../../../apps/token-service/bench/ladder-server.ts')
  const addresses: string[] = []
  for (const layer of ['bare', ...Object.keys(layers)]) addresses.push(await stack.startServer(script, [layer, body]))
  addresses.push(address, (await stack.startService({ METRICS_PORT: '0' })).address)

  const requests = tokenRequests(signInTokens)
  for (const each of addresses) {
    await fetchTokens(each, signInTokens)
    await measureRate(each, requests, seconds)
  }
  const [bare, ...rates] = await measureAllByTurns(
    rounds,
    addresses.map((each) => () => measureRate(each, requests, seconds)),
  )
  const names = [...Object.values(layers), 'the whole service, as built', 'the same with its metrics on']
  return names.map((name, index) =>
    createFigure({
      name,
      value: rates[index]!,
      unit: '/s',
      reference: { name: 'a bare Fastify route', value: bare! },
    }),
  )
}

import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { TokenServiceStack } from '@acs-kit/local-stack/token-service-stack'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { compare, measureInterleaved } from '../../interleaved.ts'
import { measureRate } from '../../load.ts'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { measurePacedLatency } from '../../paced-load.ts'
import { fetchTokens, tokenRequests } from './token-requests.ts'

const users = 200
const seconds = 3
const bareRoute = 'a bare Fastify route'

/** Rate and latency of cached tokens, next to a bare Fastify route that sends the same response. */
export async function benchmarkCachedToken(): Promise<Measurement[]> {
  await using stack = await TokenServiceStack.start()
  const { address } = await stack.startService()
  const signInTokens = await stack.signInTokens(users)
  const body = await fetchTokens(address, signInTokens)
  const bareAddress = await stack.startServer(import.meta.resolve('./bare-server.ts'), [body])
  const requests = tokenRequests(signInTokens)
  await measureRate(address, requests, seconds)
  await measureRate(bareAddress, requests, seconds)

  const rates: Measurement[] = []
  for (const connections of [64, 16]) {
    rates.push(
      await compare({
        name: `cached tokens over ${connections} connections`,
        unit: '/s',
        measure: () => measureRate(address, requests, seconds, connections),
        reference: { name: bareRoute, measure: () => measureRate(bareAddress, requests, seconds, connections) },
        goal: { of: 'ratio', is: 'at least', limit: 0.6 },
      }),
    )
  }
  const rate = Math.floor(rates.at(-1)!.reference.value / 2)
  const measureLatency = (url: string) => () => measurePacedLatency(url, requests, { rate, seconds, percentile: 0.99 })
  const latency = await compare({
    name: `99th percentile of a cached token, ${rate}/s`,
    unit: 'ms',
    measure: measureLatency(address),
    reference: { name: bareRoute, measure: measureLatency(bareAddress) },
    goal: { of: 'ratio', is: 'below', limit: 1.5 },
  })
  return [...rates, latency]
}

/** Rate of cached tokens without audit lines and with metrics. */
export async function benchmarkOptionalParts(): Promise<Measurement[]> {
  await using stack = await TokenServiceStack.start()
  await using quiet = await startWithoutLog(stack)
  const addresses = {
    'cached tokens without audit lines (LOG_LEVEL=error)': quiet.address,
    'with audit lines, which is the default': (await stack.startService()).address,
    'with audit lines and metrics (METRICS_PORT)': (await stack.startService({ METRICS_PORT: '0' })).address,
  }
  const signInTokens = await stack.signInTokens(users)
  const requests = tokenRequests(signInTokens)
  const body = await fetchTokens(quiet.address, signInTokens)
  const bareAddress = await stack.startServer(import.meta.resolve('./bare-server.ts'), [body])
  const all = [bareAddress, ...Object.values(addresses)]
  for (const address of all) {
    await fetchTokens(address, signInTokens)
    await measureRate(address, requests, seconds)
  }
  const [bare, ...rates] = await measureInterleaved(
    5,
    all.map((address) => () => measureRate(address, requests, seconds)),
  )
  const reference = { name: bareRoute, value: bare! }
  return Object.keys(addresses).map((name, index) =>
    createMeasurement({ name, value: rates[index]!, unit: '/s', reference }),
  )
}

/** Starts a service on a port chosen here, since it logs no address. */
async function startWithoutLog({ script, env }: TokenServiceStack) {
  const placeholder = await listenLocally(createServer())
  await placeholder[Symbol.asyncDispose]()
  const server = ServerProcess.launch({ script, env: { ...env, PORT: String(placeholder.port), LOG_LEVEL: 'error' } })
  const address = `http://127.0.0.1:${placeholder.port}`
  const isUp = () =>
    fetch(`${address}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (server.isRunning && !(await isUp())) await sleep(20)
  return { address, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

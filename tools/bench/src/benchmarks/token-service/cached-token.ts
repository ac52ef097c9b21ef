import { fileURLToPath } from 'node:url'
import { Backend } from '@acs-kit/local-stack/backend'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { compare, measureInterleaved } from '../../interleaved.ts'
import { measureRate } from '../../load.ts'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { measurePacedLatency } from '../../paced-load.ts'
import { createSignInTokens, fetchTokens, tokenRequests, unlimited } from './token-requests.ts'

const users = 200
const seconds = 3
const bareRoute = 'a bare Fastify route'

/** Rate and latency of cached tokens, next to a bare Fastify route that sends the same response. */
export async function benchmarkCachedToken(): Promise<Measurement[]> {
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const { url } = await backend.startService()
  const signInTokens = await createSignInTokens(backend.issuer, users)
  await using bare = await startBareRoute(await fetchTokens(url, signInTokens))
  const requests = tokenRequests(signInTokens)
  await measureRate(url, requests, seconds)
  await measureRate(bare.url, requests, seconds)

  const rates: Measurement[] = []
  for (const connections of [64, 16]) {
    rates.push(
      await compare({
        name: `cached tokens over ${connections} connections`,
        unit: '/s',
        measure: () => measureRate(url, requests, seconds, connections),
        reference: { name: bareRoute, measure: () => measureRate(bare.url, requests, seconds, connections) },
        goal: { of: 'ratio', is: 'at least', limit: 0.6 },
      }),
    )
  }
  const rate = Math.floor(rates.at(-1)!.reference.value / 2)
  const measureLatency = (url: string) => () => measurePacedLatency(url, requests, { rate, seconds, percentile: 0.99 })
  const latency = await compare({
    name: `99th percentile of a cached token, ${rate}/s`,
    unit: 'ms',
    measure: measureLatency(url),
    reference: { name: bareRoute, measure: measureLatency(bare.url) },
    goal: { of: 'ratio', is: 'below', limit: 1.5 },
  })
  return [...rates, latency]
}

/** Rate of cached tokens without audit lines and with metrics. */
export async function benchmarkOptionalParts(): Promise<Measurement[]> {
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  await using quiet = await startWithoutLog(backend)
  const urls = {
    'cached tokens without audit lines (LOG_LEVEL=error)': quiet.url,
    'with audit lines, which is the default': (await backend.startService()).url,
    'with audit lines and metrics (METRICS_PORT)': (await backend.startService({ METRICS_PORT: '0' })).url,
  }
  const signInTokens = await createSignInTokens(backend.issuer, users)
  const requests = tokenRequests(signInTokens)
  await using bare = await startBareRoute(await fetchTokens(quiet.url, signInTokens))
  const all = [bare.url, ...Object.values(urls)]
  for (const url of all) {
    await fetchTokens(url, signInTokens)
    await measureRate(url, requests, seconds)
  }
  const [bareRate, ...rates] = await measureInterleaved(
    5,
    all.map((url) => () => measureRate(url, requests, seconds)),
  )
  const reference = { name: bareRoute, value: bareRate! }
  return Object.keys(urls).map((name, index) =>
    createMeasurement({ name, value: rates[index]!, unit: '/s', reference }),
  )
}

/** Starts a service that logs nothing, and so has to report its address over a channel. */
async function startWithoutLog({ script, environment }: Backend<EmulatorProcess>) {
  const env = { ...environment, LOG_LEVEL: 'error' }
  const server = await ServerProcess.start({ script: script!, env, ready: 'message' })
  const { address } = server.message as { address: string }
  return { url: address, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** Starts the reference of the service: a bare Fastify route that responds with `body`, in a process of its own. */
async function startBareRoute(body: string) {
  const script = fileURLToPath(import.meta.resolve('./bare-server.ts'))
  const server = await ServerProcess.start({ script, args: [body], ready: /\n/ })
  return { url: server.stdout.trim(), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

import { Backend } from '@acs-kit/local-stack/backend'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compare, compareRounds, measureRounds, median } from '../../interleaved.ts'
import { measureLoad, type Load, type MeasuredServer } from '../../load.ts'
import type { Measured, Measurement } from '../../measurement.ts'
import { measurePacedLatency } from '../../paced-load.ts'
import { bareRoute, startBareRoute } from './bare-route.ts'
import { createSignInTokens, fetchTokens, tokenRequests, unlimited } from './token-requests.ts'

const users = 200
const seconds = 1
const rounds = 15
const warmUpSeconds = 4
const connections = 64

/** Processor time, rate and latency of cached tokens, next to a bare Fastify route that sends the same response. */
export async function benchmarkCachedToken(): Promise<Measurement[]> {
  using folder = new TemporaryFolder()
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const service = await backend.startService({}, { logFile: folder.join('log') })
  const signInTokens = await createSignInTokens(backend.issuer, users)
  await using bare = await startBareRoute(await fetchTokens(service.url, signInTokens))
  const requests = tokenRequests(signInTokens)
  const [ours, bares] = await measureLoads([service, bare], requests)

  const measurements = [
    compareLoads('perMainThreadSecond', {
      name: 'cached tokens per second of main-thread CPU',
      loads: ours!,
      reference: { name: bareRoute, loads: bares! },
      goal: { of: 'ratio', is: 'at least', limit: 0.6 },
    }),
    compareLoads('perCpuSecond', {
      name: 'the same, CPU of all threads',
      loads: ours!,
      reference: { name: bareRoute, loads: bares! },
    }),
    compareLoads('rate', {
      name: `cached tokens over ${connections} connections`,
      loads: ours!,
      reference: { name: bareRoute, loads: bares! },
    }),
  ]
  const rate = Math.floor(median(ours!.map((load) => load.rate)) / 2)
  const measureLatency =
    ({ url }: MeasuredServer) =>
    () =>
      measurePacedLatency(url, requests, { rate, seconds, percentile: 0.99 })
  const latency = await compare({
    name: `99th percentile of a cached token, ${rate}/s, half of its maximum`,
    unit: 'ms',
    rounds,
    measure: measureLatency(service),
    reference: { name: bareRoute, measure: measureLatency(bare) },
    goal: { of: 'ratio', is: 'below', limit: 1.5 },
  })
  return [...measurements, latency]
}

/** Processor time of cached tokens with metrics. */
export async function benchmarkMetrics(): Promise<Measurement[]> {
  using folder = new TemporaryFolder()
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const plain = await backend.startService({}, { logFile: folder.join('plain') })
  const measured = await backend.startService({ METRICS_PORT: '0' }, { logFile: folder.join('measured') })
  const signInTokens = await createSignInTokens(backend.issuer, users)
  for (const { url } of [plain, measured]) await fetchTokens(url, signInTokens)
  const [plainLoads, measuredLoads] = await measureLoads([plain, measured], tokenRequests(signInTokens))
  return [
    compareLoads('perMainThreadSecond', {
      name: 'cached tokens with metrics (METRICS_PORT), per second of main-thread CPU',
      loads: measuredLoads!,
      reference: { name: 'without metrics', loads: plainLoads! },
      goal: { of: 'ratio', is: 'at least', limit: 0.97 },
    }),
  ]
}

/** Warms the servers up and measures them by turns. Returns the loads of each. */
export async function measureLoads(
  servers: readonly MeasuredServer[],
  requests: ReturnType<typeof tokenRequests>,
): Promise<Load[][]> {
  const measureFor = (duration: number) =>
    servers.map((server) => () => measureLoad(server, requests, duration, connections))
  await measureRounds(1, measureFor(warmUpSeconds))
  return measureRounds(rounds, measureFor(seconds))
}

interface LoadComparison extends Pick<Measured, 'name' | 'goal'> {
  readonly loads: readonly Load[]
  readonly reference: { readonly name: string; readonly loads: readonly Load[] }
}

export function compareLoads(figure: keyof Load, { loads, reference, ...rest }: LoadComparison): Measurement {
  const toValues = (all: readonly Load[]) => all.map((load) => load[figure])
  return compareRounds({
    ...rest,
    unit: '/s',
    values: toValues(loads),
    reference: { name: reference.name, values: toValues(reference.loads) },
  })
}

import { Backend } from '@acs-kit/local-stack/backend'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compare, compareRounds, measureRounds } from '../../interleaved.ts'
import { measureRate } from '../../load.ts'
import type { Measured, Measurement } from '../../measurement.ts'
import { measurePacedLoad, type MeasuredServer, type PacedLoad } from '../../paced-load.ts'
import { bareRoute, startBareRoute } from './bare-route.ts'
import { createSignInTokens, fetchTokens, tokenRequests, unlimited } from './token-requests.ts'

const users = 200
const seconds = 1
/** Processes of each server. A process keeps its speed, which differs by up to a tenth. */
const processCount = 5
/** Rounds of each process. */
const rounds = 4
const warmUpSeconds = 4
const connections = 64

/** Processor time, latency and rate of cached tokens, next to a bare Fastify route that sends the same response. */
export async function benchmarkCachedToken(): Promise<Measurement[]> {
  using folder = new TemporaryFolder()
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const signInTokens = await createSignInTokens(backend.issuer, users)
  const requests = tokenRequests(signInTokens)
  const startService = createServiceStarter(backend, folder, signInTokens)
  await using service = await startService()
  const body = await fetchTokens(service.url, signInTokens)
  await using bare = await startBareRoute(body)
  const measureFor =
    ({ url }: MeasuredServer, duration = seconds) =>
    () =>
      measureRate(url, requests, duration, connections)
  for (const server of [service, bare]) await measureFor(server, warmUpSeconds)()
  const maximum = await compare({
    name: `cached tokens over ${connections} connections, as many as possible`,
    unit: '/s',
    measure: measureFor(service),
    reference: { name: bareRoute, measure: measureFor(bare) },
  })
  const rate = Math.floor(maximum.value / 2)
  const [ours, bares] = await measureLoads([startService, () => startBareRoute(body)], requests, rate)
  const reference = { name: bareRoute, loads: bares! }
  return [
    compareLoads('perMainThreadSecond', {
      name: `cached tokens per second of main-thread CPU, at ${rate}/s`,
      loads: ours!,
      reference,
      goal: { of: 'ratio', is: 'at least', limit: 0.6 },
    }),
    compareLoads('perCpuSecond', { name: 'the same, CPU of all threads', loads: ours!, reference }),
    compareLoads('p99Ms', {
      name: '99th percentile of their latency',
      loads: ours!,
      reference,
      goal: { of: 'ratio', is: 'below', limit: 1.5 },
    }),
    maximum,
  ]
}

/** Requests per second of services that are compared with each other: about half of their maximum. */
export const servicesRate = 6000

/** Processor time of cached tokens with metrics. */
export async function benchmarkMetrics(): Promise<Measurement[]> {
  using folder = new TemporaryFolder()
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const signInTokens = await createSignInTokens(backend.issuer, users)
  const startService = createServiceStarter(backend, folder, signInTokens)
  const [plainLoads, measuredLoads] = await measureLoads(
    [startService, () => startService({ METRICS_PORT: '0' })],
    tokenRequests(signInTokens),
    servicesRate,
  )
  return [
    compareLoads('perMainThreadSecond', {
      name: 'cached tokens with metrics (METRICS_PORT), per second of main-thread CPU',
      loads: measuredLoads!,
      reference: { name: 'without metrics', loads: plainLoads! },
      goal: { of: 'ratio', is: 'at least', limit: 0.97 },
    }),
  ]
}

/** Returns a function that starts a service in which a token of each user is cached. It logs to a file. */
export function createServiceStarter(
  backend: Backend<EmulatorProcess>,
  folder: TemporaryFolder,
  signInTokens: readonly string[],
): (settings?: NodeJS.ProcessEnv) => ReturnType<typeof backend.startService> {
  let count = 0
  return async (settings = {}) => {
    const service = await backend.startService(settings, { logFile: folder.join(`log-${count++}`) })
    await fetchTokens(service.url, signInTokens)
    return service
  }
}

/** Starts the servers several times, warms them up, and measures them by turns at the same rate. Returns the loads of each. */
export async function measureLoads(
  starts: readonly (() => Promise<MeasuredServer & AsyncDisposable>)[],
  requests: ReturnType<typeof tokenRequests>,
  rate: number,
): Promise<PacedLoad[][]> {
  const loads = starts.map((): PacedLoad[] => [])
  for (let count = 0; count < processCount; count++) {
    await using open = new AsyncDisposableStack()
    const servers: MeasuredServer[] = []
    for (const start of starts) servers.push(open.use(await start()))
    for (const { url } of servers) await measureRate(url, requests, warmUpSeconds, connections)
    const measures = servers.map((server) => () => measurePacedLoad(server, requests, { rate, seconds }))
    for (const [index, measured] of (await measureRounds(rounds, measures)).entries()) loads[index]!.push(...measured)
  }
  return loads
}

interface LoadComparison extends Pick<Measured, 'name' | 'goal'> {
  readonly loads: readonly PacedLoad[]
  readonly reference: { readonly name: string; readonly loads: readonly PacedLoad[] }
}

export function compareLoads(figure: keyof PacedLoad, { loads, reference, ...rest }: LoadComparison): Measurement {
  const toValues = (all: readonly PacedLoad[]) => all.map((load) => load[figure])
  return compareRounds({
    ...rest,
    unit: figure === 'p99Ms' ? 'ms' : '/s',
    values: toValues(loads),
    reference: { name: reference.name, values: toValues(reference.loads) },
  })
}

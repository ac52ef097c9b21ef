import { Backend } from '@acs-kit/local-stack/backend'
import { startOtlpReceiver } from '@acs-kit/test-support/otlp-receiver'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compare } from '../../interleaved.ts'
import type { Measurement } from '../../measurement.ts'
import { compareLoads, createServiceStarter, measureLoads, servicesRate } from './cached-token.ts'
import { createSignInTokens, tokenRequests, unlimited } from './token-requests.ts'

const users = 200

/** Processor time of cached tokens and duration of the start with traces and metrics, next to a service without them. */
export async function benchmarkTelemetry(): Promise<Measurement[]> {
  using folder = new TemporaryFolder()
  await using collector = await startOtlpReceiver(() => {})
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const telemetry = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
  const sampled = { ...telemetry, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' }
  const signInTokens = await createSignInTokens(backend.issuer, users)
  const startService = createServiceStarter(backend, folder, signInTokens)
  const [plainLoads, tracedLoads, sampledLoads] = await measureLoads(
    [startService, () => startService(telemetry), () => startService(sampled)],
    tokenRequests(signInTokens),
    servicesRate,
  )
  const start = (env: NodeJS.ProcessEnv) => async () => {
    const startedAt = performance.now()
    const service = await backend.startService(env)
    const durationMs = performance.now() - startedAt
    await service.kill()
    return durationMs
  }
  const name = 'without telemetry'
  const reference = { name, loads: plainLoads! }
  return [
    compareLoads('perMainThreadSecond', {
      name: 'cached tokens with traces of all requests, per second of main-thread CPU',
      loads: tracedLoads!,
      reference,
    }),
    compareLoads('perMainThreadSecond', {
      name: 'cached tokens with traces of one request in 100, per second of main-thread CPU',
      loads: sampledLoads!,
      reference,
    }),
    await compare({
      name: 'token service started with telemetry, until it listens',
      unit: 'ms',
      rounds: 11,
      measure: start(telemetry),
      reference: { name, measure: start({}) },
    }),
  ]
}

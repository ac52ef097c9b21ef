import { Backend } from '@acs-kit/local-stack/backend'
import { startOtlpReceiver } from '@acs-kit/test-support/otlp-receiver'
import { measureInterleaved } from '../../interleaved.ts'
import { measureRate } from '../../load.ts'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { createSignInTokens, fetchTokens, tokenRequests, unlimited } from './token-requests.ts'

const users = 200
const seconds = 3

/** Rate of cached tokens and duration of the start with traces and metrics, next to a service without them. */
export async function benchmarkTelemetry(): Promise<Measurement[]> {
  await using collector = await startOtlpReceiver(() => {})
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const telemetry = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
  const sampled = { ...telemetry, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' }
  const traced = {
    'cached tokens with traces of all requests': (await backend.startService(telemetry)).url,
    'cached tokens with traces of one request in 100': (await backend.startService(sampled)).url,
  }
  const urls = [(await backend.startService()).url, ...Object.values(traced)]
  const signInTokens = await createSignInTokens(backend.issuer, users)
  const requests = tokenRequests(signInTokens)
  for (const url of urls) {
    await fetchTokens(url, signInTokens)
    await measureRate(url, requests, seconds)
  }
  const [plainRate, ...rates] = await measureInterleaved(
    5,
    urls.map((url) => () => measureRate(url, requests, seconds)),
  )
  const start = (env: NodeJS.ProcessEnv) => async () => {
    const startedAt = performance.now()
    const service = await backend.startService(env)
    const durationMs = performance.now() - startedAt
    await service.kill()
    return durationMs
  }
  const [plainStartMs, startMs] = await measureInterleaved(11, [start({}), start(telemetry)])
  const name = 'without telemetry'
  return [
    ...Object.keys(traced).map((service, index) =>
      createMeasurement({ name: service, value: rates[index]!, unit: '/s', reference: { name, value: plainRate! } }),
    ),
    createMeasurement({
      name: 'token service started with telemetry, until it listens',
      value: startMs!,
      unit: 'ms',
      reference: { name, value: plainStartMs! },
    }),
  ]
}

import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Backend } from '@acs-kit/local-stack/backend'
import { measureInterleaved, timeMs } from '../../interleaved.ts'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { unlimited } from './token-requests.ts'

/** Start of the service until it listens and until it is ready, next to a Node that does nothing. */
export async function benchmarkServiceStart(): Promise<Measurement[]> {
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const start = async (waitFor: (url: string) => Promise<void>) => {
    const startedAt = performance.now()
    const service = await backend.startService()
    await waitFor(service.url)
    const durationMs = performance.now() - startedAt
    await service.kill()
    return durationMs
  }
  const startUntilListening = () => start(async () => {})
  const startUntilReady = () =>
    start(async (url) => {
      while (!(await fetch(`${url}/readyz`)).ok) await sleep(2)
    })
  await startUntilReady()
  const [listening, ready, bare] = await measureInterleaved(11, [
    startUntilListening,
    startUntilReady,
    () => timeMs(() => promisify(execFile)(process.execPath, ['-e', ''])),
  ])
  const reference = { name: 'node -e ""', value: bare! }
  return [
    createMeasurement({ name: 'token service started, until it listens', value: listening!, unit: 'ms', reference }),
    createMeasurement({ name: 'the same, until /readyz', value: ready!, unit: 'ms', reference }),
  ]
}

import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { TokenServiceStack } from '@acs-kit/local-stack/token-service-stack'
import { measureInterleaved, timeMs } from '../../interleaved.ts'
import { createMeasurement, type Measurement } from '../../measurement.ts'

/** Start of the service until it listens and until it is ready, next to a Node that does nothing. */
export async function benchmarkServiceStart(): Promise<Measurement[]> {
  await using stack = await TokenServiceStack.start()
  const start = async (waitFor: (address: string) => Promise<void>) => {
    let kill: () => Promise<void>
    const durationMs = await timeMs(async () => {
      const { address, server } = await stack.startService()
      kill = () => server.kill()
      await waitFor(address)
    })
    await kill!()
    return durationMs
  }
  const startUntilListening = () => start(async () => {})
  const startUntilReady = () =>
    start(async (address) => {
      while (!(await fetch(`${address}/readyz`)).ok) await sleep(2)
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

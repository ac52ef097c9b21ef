import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createFigure, type Figure } from '../../figure.ts'
import { measureAllByTurns } from '../../rounds.ts'
import { TokenServiceStack } from '@acs-kit/local-stack/token-service-stack'

/** Starting the service until it listens, and until it is ready, beside a Node that does nothing. */
export async function benchmarkServiceStart(): Promise<Figure[]> {
  await using stack = await TokenServiceStack.start()
  const start = async (isEnough: (address: string) => Promise<void>) => {
    const startedAt = performance.now()
    const { address, server } = await stack.startService()
    await isEnough(address)
    const duration = performance.now() - startedAt
    await server.kill()
    return duration
  }
  const listens = () => start(async () => {})
  const isReady = () =>
    start(async (address) => {
      while (!(await fetch(`${address}/readyz`)).ok) await sleep(2)
    })
  await isReady()
  const [listening, ready, bare] = await measureAllByTurns(11, [
    listens,
    isReady,
    () => timeOf(() => promisify(execFile)(process.execPath, ['-e', ''])),
  ])
  const reference = { name: 'node -e ""', value: bare! }
  return [
    createFigure({ name: 'token service started, until it listens', value: listening!, unit: 'ms', reference }),
    createFigure({ name: 'the same, until /readyz', value: ready!, unit: 'ms', reference }),
  ]
}

/** In milliseconds. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createFigure, type Figure } from '../../figure.ts'
import { measureByTurns } from '../../rounds.ts'
import { TokenServiceStack } from './token-service-stack.ts'

/** Starting the service until it listens, beside a Node that does nothing. */
export async function benchmarkServiceStart(): Promise<Figure[]> {
  await using stack = await TokenServiceStack.start()
  const start = async () => {
    const { server } = await stack.startService()
    await server.kill()
  }
  await start()
  const { subject, reference } = await measureByTurns(
    11,
    () => timeOf(start),
    () => timeOf(() => promisify(execFile)(process.execPath, ['-e', ''])),
  )
  return [
    createFigure({
      name: 'token service started, until it listens',
      value: subject,
      unit: 'ms',
      reference: { name: 'node -e ""', value: reference },
    }),
  ]
}

/** In milliseconds. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

import { createFigure, type Figure } from '../../figure.ts'
import { runScript } from '@acs-kit/test-support/run-script'
import { TokenServiceStack } from '@acs-kit/local-stack/token-service-stack'

/** How often Azure is asked for users who are there all the time, by a clock that makes a month pass in seconds. */
export async function benchmarkTokenLife(): Promise<Figure[]> {
  return [await compareToLives('calls to Azure in 30 days, all users and sets of scopes')]
}

/** How often the service is asked by the same users, when they ask through the client. */
export async function benchmarkClientLife(): Promise<Figure[]> {
  return [await compareToLives('the client’s calls to the service in 30 days, all users and sets of scopes', 'client')]
}

async function compareToLives(name: string, ...options: string[]): Promise<Figure> {
  await using stack = await TokenServiceStack.start()
  const { azurite } = stack
  const printed = await runScript(import.meta.resolve('../../../../../apps/token-service/bench/token-life.ts'), [
    azurite.connectionString,
    ...options,
  ])
  const { calls, lives } = JSON.parse(printed) as { calls: number; lives: number }
  return createFigure(
    {
      name,
      value: calls,
      unit: 'calls',
      reference: { name: 'lives of a token, but for its last 20 minutes', value: lives },
    },
    { of: 'ratio', is: 'below', limit: 1.01 },
  )
}

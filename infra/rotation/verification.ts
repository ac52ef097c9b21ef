import { setTimeout as sleep } from 'node:timers/promises'
import { toLine } from '../azure-error.ts'
import { isKeyAccepted } from './access-keys.ts'
import type { DeployedKeys } from './deployed-keys.ts'
import { keyNames } from './rotation-record.ts'

export interface Patience {
  /** Covers the restart of the site and the distribution of a new key. */
  readonly timeoutMs: number
  readonly intervalMs: number
}

const requestTimeoutMs = 10_000

/** Resolves once the service is ready and ACS accepts both keys. Rejects with the last problem after the timeout. */
export async function verifyService(
  { serviceUrl, connectionStrings }: Pick<DeployedKeys, 'serviceUrl' | 'connectionStrings'>,
  { timeoutMs, intervalMs }: Patience,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const problem = (await findServiceProblem(serviceUrl)) ?? (await findKeyProblem(connectionStrings))
    if (problem === undefined) return
    if (performance.now() >= deadline) {
      throw new Error(`verification failed for ${timeoutMs / 1000} s, run the command again to continue: ${problem}`)
    }
    await sleep(intervalMs)
  }
}

async function findServiceProblem(url: string): Promise<string | undefined> {
  const readiness = new URL('/readyz', url).href
  try {
    const response = await fetch(readiness, { signal: AbortSignal.timeout(requestTimeoutMs) })
    const text = await response.text()
    return response.ok ? undefined : `${readiness} responded with ${response.status} ${toLine(text)}`
  } catch (error) {
    const { message, cause } = error as Error
    return `no response from ${readiness}: ${toLine((cause as Error | undefined)?.message || message)}`
  }
}

async function findKeyProblem(connectionStrings: DeployedKeys['connectionStrings']): Promise<string | undefined> {
  for (const key of keyNames) {
    if (!(await isKeyAccepted(connectionStrings[key]))) return `ACS rejects the ${key} key of the last \`pulumi up\``
  }
  return undefined
}

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Backend } from '@acs-kit/local-stack/backend'
import type { SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { readMetric } from '@acs-kit/test-support/metrics'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { fetchToken, unlimited } from './token-requests.ts'

const warmUpUsers = 2000
const measuredUsers = 8000
const concurrentRequests = 16

/** Heap that an instance keeps for each user: the token, the identity, the verified sign-in and the rate limit. */
export async function benchmarkCachedUserMemory(): Promise<Measurement[]> {
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const { url, server } = await backend.startService({
    METRICS_PORT: '0',
    NODE_OPTIONS: `--expose-gc --import ${import.meta.resolve('./heap-preload.ts')}`,
  })
  const readHeap = async () => {
    // Garbage is collected every half second.
    await sleep(2000)
    return readMetric(server, 'nodejs_heap_size_used_bytes')
  }
  await addUsers(backend.issuer, url, warmUpUsers)
  const before = await readHeap()
  const response = await addUsers(backend.issuer, url, measuredUsers)
  return [
    createMeasurement({
      name: 'memory for a cached user',
      value: ((await readHeap()) - before) / measuredUsers,
      unit: 'bytes',
      reference: { name: 'the text of the token', value: (JSON.parse(response) as { token: string }).token.length },
      goal: { of: 'value', is: 'below', limit: 2048 },
    }),
  ]
}

/** Signs in new users, fetches a token for each and returns the body of the last response. */
async function addUsers(issuer: SignInIssuer, url: string, amount: number): Promise<string> {
  let remaining = amount
  let last = ''
  const clients = Array.from({ length: concurrentRequests }, async () => {
    while (remaining-- > 0) last = await fetchToken(url, await issuer.sign({ sub: randomUUID() }))
  })
  await Promise.all(clients)
  return last
}

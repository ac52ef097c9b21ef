import { setTimeout as sleep } from 'node:timers/promises'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { ServiceHarness } from './service-harness.ts'

const outageMs = 3000

/**
 * Connects all users at once during an outage of ACS, and lets them retry per Retry-After. Throws unless every user is served
 * in the end, within ACS's limits as the emulator enforces them.
 */
export async function runReconnectDrill({ users }: { users: number }) {
  await using harness = await ServiceHarness.start()
  const { emulator } = harness
  await emulator.administer('PUT', 'quotas', { documented: true })
  const { client } = await harness.startInstance({ UPSTREAM_DEADLINE_MS: '1000' })
  await emulator.administer('POST', 'faults', { reset: true })
  setTimeout(() => void emulator.administer('DELETE', 'faults'), outageMs)
  const start = performance.now()
  let attempts = 0
  const requests = Array.from({ length: users }, async (_, index) => {
    for (;;) {
      attempts++
      const { status, headers, text } = await client.call('POST /v1/token', `user ${index}`, {})
      if (status === 200) return
      if (status !== 503) throw new Error(`unexpected response to user ${index}: ${status} ${text}`)
      await sleep(Number(headers['retry-after']) * 1000)
    }
  })
  const served = Promise.all(requests).then(() => Math.round((performance.now() - start) / 1000))
  const [seconds, throttled] = await Promise.all([served, countThrottled(emulator, served)])
  if (throttled > 0) throw new Error(`ACS throttled ${throttled} requests`)
  const identities = (await emulator.identityIds()).length
  const explained = (await harness.journal()).length
  if (identities > users + explained) throw new Error(`${identities} identities for ${users} users`)
  harness.checkSecrets()
  return { users, attempts, seconds, throttled }
}

/** Polls the emulator's log, which keeps the last thousand requests, often enough to read all of them. */
async function countThrottled(emulator: EmulatorProcess, served: Promise<unknown>): Promise<number> {
  const throttled = new Set<string>()
  type LoggedRequest = { at: string; status?: number; clientRequestId?: string }
  let isFinished = false
  while (!isFinished) {
    isFinished = (await Promise.race([served, sleep(200, 'unfinished')])) !== 'unfinished'
    const requests = await emulator.administer<LoggedRequest[]>('GET', 'requests')
    for (const { at, status, clientRequestId } of requests) {
      if (status === 429) throttled.add(`${at} ${clientRequestId}`)
    }
  }
  return throttled.size
}

import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceHarness } from './service-harness.ts'

const users = 20
/** Interval of the service's health check, which bounds how long it may return tokens of a regenerated key. */
const healthCheckMs = 30_000
const toleranceMs = 2000

/**
 * Regenerates the primary key while users request tokens. Throws if a request fails, or if a token of the old key is returned
 * after the bound. With `requestsNew`, requests use the old key; otherwise only the service's health check does.
 */
export async function runKeyDrill({ requestsNew }: { requestsNew: boolean }) {
  await using harness = await ServiceHarness.start()
  const { emulator } = harness
  const secondary = await emulator.regenerateKey('secondary')
  const { client } = await harness.startInstance({
    COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: emulator.connectionStringWith(secondary),
    REVOCATION_BOUND_SECONDS: '3600',
  })
  const names = Array.from({ length: users }, (_, index) => `user ${index}`)
  for (const name of names) await client.token(name)
  // The first health check finishes in this time.
  await sleep(1000)
  const regenerated = await emulator.regenerateKey('primary')
  const regeneratedAt = performance.now()
  const boundMs = requestsNew ? toleranceMs : healthCheckMs + toleranceMs
  let requests = 0
  let oldTokens = 0
  let lastOldTokenMs = 0
  while (performance.now() - regeneratedAt < boundMs + 3000) {
    for (const name of names) {
      const issued = await client.token(name, requestsNew && requests % 7 === 0 ? { refresh: true } : {})
      const elapsedMs = performance.now() - regeneratedAt
      if (!issued) throw new Error(`${name} was rejected after the key was regenerated`)
      requests++
      if ((await emulator.tokenState(issued.token)) === 'valid') continue
      if (elapsedMs > boundMs) throw new Error(`a token of the old key was returned after ${Math.round(elapsedMs)} ms`)
      oldTokens++
      lastOldTokenMs = elapsedMs
    }
    await sleep(50)
  }
  harness.checkSecrets({ 'the secondary key': secondary, 'the new primary key': regenerated })
  return { requests, oldTokens, lastOldTokenMs: Math.round(lastOldTokenMs), boundMs }
}

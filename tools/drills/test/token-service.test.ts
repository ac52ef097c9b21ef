import { expect, test } from 'vitest'
import { drillContractFuzz } from '../src/token-service/contract-fuzz-drill.ts'
import { drillServiceCrashes } from '../src/token-service/crash-drill.ts'
import { drillFirstLogins } from '../src/token-service/first-login-drill.ts'
import { drillKeyRegeneration } from '../src/token-service/key-drill.ts'
import { drillMemory } from '../src/token-service/memory-drill.ts'
import { drillOutages } from '../src/token-service/outage-drill.ts'
import { drillReconnects } from '../src/token-service/reconnect-drill.ts'
import { drillStoreFaults } from '../src/token-service/store-drill.ts'
import { testSeed } from './test-seed.ts'

// Each throws when something is violated; `pnpm drill` runs their long forms.

test('first logins at several instances at once make one identity', { timeout: 120_000 }, async () => {
  expect(await drillFirstLogins({ persons: 3 })).toMatchObject({ logins: 300, orphans: 0 })
})

test('kill -9 of the service loses and doubles nothing', { timeout: 180_000 }, async () => {
  const { persons, deletions, revocations } = await drillServiceCrashes({ kills: 6, seed: testSeed })

  expect(persons).toBeGreaterThan(6)
  expect(deletions + revocations).toBeGreaterThan(0)
})

test('a store that fails in the middle of a request breaks no promise', { timeout: 300_000 }, async () => {
  const { promises } = await drillStoreFaults([
    ['response lost', 'Azure is up'],
    ['store gone after the work', 'Azure is up'],
    ['store gone', 'Azure is down'],
  ])

  expect(promises).toBeGreaterThan(50)
})

test('users with a cached token never notice an outage, others are told', { timeout: 180_000 }, async () => {
  expect(Object.keys(await drillOutages({ seconds: 1 }))).toHaveLength(6)
})

test('users who all come back at once stay within Azure’s limits', { timeout: 120_000 }, async () => {
  expect(await drillReconnects({ users: 200 })).toMatchObject({ throttled: 0 })
})

test('spellings of one sign-in do not fill the memory of the service', { timeout: 240_000 }, async () => {
  expect(await drillMemory({ spellings: 10_000, tokens: 500 })).toMatchObject({ tokenBytes: expect.any(Number) })
})

test('the abrupt end of a key fails no request', { timeout: 120_000 }, async () => {
  const { requests } = await drillKeyRegeneration({ asksForNew: true })

  expect(requests).toBeGreaterThan(0)
})

test('requests made from the OpenAPI document get its answers only', { timeout: 120_000 }, async () => {
  const answers = await drillContractFuzz({ requests: 1500, seed: testSeed })

  // They reached every part that an outage or a limit does not have to open first.
  const reached = [
    ['200', '204', '400 request-invalid', '400 teams-token-invalid', '401 token-missing', '401 token-invalid'],
    ['401 token-expired', '401 token-not-yet-valid', '403 permission-missing', '403 origin-not-allowed'],
    ['403 scope-not-allowed', '404 route-unknown', '404 identity-unknown', '405 method-not-allowed'],
    ['413 body-too-large', '415 media-type-unsupported', '431 headers-too-large'],
  ].flat()
  expect(Object.keys(answers)).toEqual(expect.arrayContaining(reached))
})

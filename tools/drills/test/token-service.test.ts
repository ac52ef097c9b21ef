import { expect, it } from 'vitest'
import { runContractFuzzDrill } from '../src/token-service/contract-fuzz-drill.ts'
import { runServiceCrashDrill } from '../src/token-service/crash-drill.ts'
import { runFirstLoginDrill } from '../src/token-service/first-login-drill.ts'
import { runKeyDrill } from '../src/token-service/key-drill.ts'
import { runMemoryDrill } from '../src/token-service/memory-drill.ts'
import { runOutageDrill } from '../src/token-service/outage-drill.ts'
import { runReconnectDrill } from '../src/token-service/reconnect-drill.ts'
import { runStoreDrill } from '../src/token-service/store-drill.ts'
import { testSeed } from './test-seed.ts'

// Each drill throws on a violation. `pnpm drill` runs their long forms.

it('creates one identity for first logins at several instances', { timeout: 120_000 }, async () => {
  expect(await runFirstLoginDrill({ users: 3 })).toMatchObject({ logins: 300, orphans: 0 })
})

// These mostly wait: for the reaper, or as Retry-After says.
it.concurrent('loses and duplicates nothing when the service is killed', { timeout: 180_000 }, async () => {
  const { users, deletions, revocations } = await runServiceCrashDrill({ kills: 6, seed: testSeed })

  expect(users).toBeGreaterThan(6)
  expect(deletions + revocations).toBeGreaterThan(0)
})

it.concurrent('keeps every promise when the store fails during a request', { timeout: 300_000 }, async () => {
  const { promises } = await runStoreDrill([
    ['response lost', 'ACS is up'],
    ['store down after the operation', 'ACS is up'],
    ['store down', 'ACS is down'],
  ])

  expect(promises).toBeGreaterThan(50)
})

it.concurrent("stays within ACS's limits when all users reconnect at once", { timeout: 120_000 }, async () => {
  expect(await runReconnectDrill({ users: 200 })).toMatchObject({ throttled: 0 })
})

it('serves users with a cached token during an outage and rejects others', { timeout: 180_000 }, async () => {
  expect(Object.keys(await runOutageDrill({ seconds: 1 }))).toHaveLength(6)
})

it('bounds the memory for spellings of one sign-in', { timeout: 240_000 }, async () => {
  expect(await runMemoryDrill({ spellings: 10_000, tokens: 500 })).toMatchObject({ tokenBytes: expect.any(Number) })
})

it('fails no request when a key is regenerated', { timeout: 120_000 }, async () => {
  const { requests } = await runKeyDrill({ requestsNew: true })

  expect(requests).toBeGreaterThan(0)
})

it('gets documented responses to requests generated from the OpenAPI document', { timeout: 120_000 }, async () => {
  const responses = await runContractFuzzDrill({ requests: 1500, seed: testSeed })

  // The requests reach every response that needs neither an outage nor a limit.
  const reached = [
    ['200', '204', '400 request-invalid', '400 teams-token-invalid', '401 token-missing', '401 token-invalid'],
    ['401 token-expired', '401 token-not-yet-valid', '403 permission-missing', '403 origin-not-allowed'],
    ['403 scope-not-allowed', '404 route-unknown', '404 identity-unknown', '405 method-not-allowed'],
    ['404 assignment-unknown', '413 body-too-large', '415 media-type-unsupported', '431 headers-too-large'],
  ].flat()
  expect(Object.keys(responses)).toEqual(expect.arrayContaining(reached))
})

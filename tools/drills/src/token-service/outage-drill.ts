import { setTimeout as sleep } from 'node:timers/promises'
import { Azurite } from '@acs-kit/test-support/azurite'
import { audience } from '@acs-kit/test-support/sign-in-issuer'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { findUnavailableFlaw, type ServiceClient } from './service-client.ts'
import { ServiceHarness } from './service-harness.ts'

const cachedUsers = 20
const newUsers = 5
const upstreamDeadlineMs = 1000
/** Fixed in the service. */
const storeDeadlineMs = 2000
/** Margin, since the drill itself keeps the machine busy. */
const toleranceMs = 2000
const recoveryMs = 20_000
const pauseMs = 20
const guid = '00000000-0000-0000-0000-000000000000'

interface Outage {
  readonly begin: () => Promise<unknown>
  readonly end: () => Promise<unknown>
  readonly deadlineMs: number
  /** Requests of administrators that fail during the outage, like those of new users. */
  readonly prevents?: readonly string[]
}

/**
 * Runs outages of ACS and of the store. Throws unless users with a cached token are served during each, all others get a 503
 * in time, and every user is served soon afterwards.
 */
export async function runOutageDrill({ seconds }: { seconds: number }) {
  using folder = new TemporaryFolder()
  await using harness = await ServiceHarness.start()
  const { emulator } = harness
  const options = { dataFolder: folder.join('store') }
  let azurite = await Azurite.start(options)
  try {
    const { client } = await harness.startInstance({
      UPSTREAM_DEADLINE_MS: String(upstreamDeadlineMs),
      IDENTITY_STORE_CONNECTION_STRING: azurite.connectionString,
      SIGN_IN_ISSUERS: JSON.stringify([{ issuer: harness.backend.issuer.issuer, audience, admin: 'admin' }]),
      TEAMS_EXTENSION: JSON.stringify({ tenantId: guid, clientIds: [guid] }),
    })
    const acsOutage = (fault: object): Outage => ({
      begin: () => emulator.administer('POST', 'faults', fault),
      end: () => emulator.administer('DELETE', 'faults'),
      deadlineMs: upstreamDeadlineMs + toleranceMs,
      prevents: ['GET', 'PUT', 'DELETE'].map((method) => `${method} /v1/teams/assignments/${guid}`),
    })
    const outages: Record<string, Outage> = {
      'ACS is down': acsOutage({ reset: true }),
      'ACS fails': acsOutage({ status: 500 }),
      'ACS is slow': acsOutage({ latencyMs: 60_000 }),
      'ACS throttles': acsOutage({ status: 429, retryAfterSeconds: 2 }),
      'the store hangs': {
        begin: async () => azurite.pause(),
        end: async () => azurite.resume(),
        deadlineMs: storeDeadlineMs + toleranceMs,
      },
      'the store is down': {
        begin: () => azurite.kill(),
        end: async () => (azurite = await Azurite.start({ ...options, port: azurite.port })),
        deadlineMs: storeDeadlineMs + toleranceMs,
      },
    }
    const report: Record<string, string> = {}
    for (const [name, outage] of Object.entries(outages)) {
      report[name] = await runOutage(name, outage, client, seconds)
    }
    harness.checkSecrets()
    return report
  } finally {
    azurite.resume()
    await azurite[Symbol.asyncDispose]()
  }
}

async function runOutage(name: string, outage: Outage, client: ServiceClient, seconds: number) {
  const { begin, end, deadlineMs, prevents = [] } = outage
  const cached = Array.from({ length: cachedUsers }, (_, index) => `${name}: user ${index}`)
  const uncached = Array.from({ length: newUsers }, (_, index) => `${name}: new user ${index}`)
  for (const user of cached) if (!(await client.token(user))) throw new Error(`${user} was rejected before the outage`)
  await begin()
  const until = performance.now() + seconds * 1000
  let served = 0
  let rejected = 0
  let slowestMs = 0
  const serveCached = async (user: string) => {
    while (performance.now() < until) {
      if (!(await client.token(user))) throw new Error(`${user} was rejected, but has a cached token`)
      served++
      await sleep(pauseMs)
    }
  }
  const rejectRequest = async (request: string, user: string) => {
    while (performance.now() < until) {
      const response = await client.call(request, user)
      const { durationMs } = response
      const flaw = findUnavailableFlaw(response)
      if (flaw !== undefined) throw new Error(`${user} got an unexpected response to ${request}: ${flaw}`)
      if (durationMs > deadlineMs) throw new Error(`${user} waited ${Math.round(durationMs)} ms for ${request}`)
      slowestMs = Math.max(slowestMs, durationMs)
      rejected++
      await sleep(pauseMs)
    }
  }
  await Promise.all([
    ...cached.map(serveCached),
    ...uncached.map((user) => rejectRequest('POST /v1/token', user)),
    ...prevents.map((request) => rejectRequest(request, 'admin')),
  ])
  await end()
  const start = performance.now()
  for (const user of [...cached, ...uncached]) {
    while (!(await client.token(user))) {
      if (performance.now() - start > recoveryMs) throw new Error(`${user} is still rejected after the outage`)
      await sleep(100)
    }
  }
  const recovery = Math.round(performance.now() - start)
  return `${served} served, ${rejected} rejected within ${Math.round(slowestMs)} ms, recovered after ${recovery} ms`
}

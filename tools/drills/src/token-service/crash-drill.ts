import { setTimeout as sleep } from 'node:timers/promises'
import { isConnectionError } from '@acs-kit/test-support/http-client'
import { Random } from '@acs-kit/test-support/random'
import { ServiceHarness } from './service-harness.ts'
import { SimulatedUser } from './simulated-user.ts'

/** Only the first client adds users and deletes, so at most one creation is in flight at a kill. */
const clients = 6
/** Requests before a kill. Counted in requests and not in time, so that a busy machine does as much. */
const maxRequests = 80
const maxKillDelayMs = 10
/** Long enough for a busy machine. */
const upstreamDeadlineMs = 5000
const settings = { UPSTREAM_DEADLINE_MS: String(upstreamDeadlineMs) }
/** The reaper ignores entries that another instance may still be working on for a little less than this. */
const graceMs = 2 * upstreamDeadlineMs + 21_000
const reaperTimeoutMs = 60_000
/** Share of requests by new users, so that first logins are interrupted as often as anything else. */
const newUserShare = 0.3

/**
 * Kills a token service under load, at random moments of first logins, deletions and revocations. Throws if an acknowledged
 * change is lost or duplicated, or if an identity remains that no journal entry explains.
 */
export async function runServiceCrashDrill({ kills, seed }: { kills: number; seed: number }) {
  await using harness = await ServiceHarness.start()
  const random = new Random(seed)
  const users = Array.from({ length: clients }, (_, index) => [new SimulatedUser(`user ${index}`)])
  await seedIdentities(harness, users.flat())
  for (let kill = 0; kill < kills; kill++) {
    const { client, server } = await harness.startInstance(settings)
    const killing = new AbortController()
    let remaining = random.below(maxRequests)
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    const load = users.map(async (own, index) => {
      const mayDelete = index === 0
      while (!killing.signal.aborted) {
        if (mayDelete && random.next() < newUserShare) own.push(new SimulatedUser(`new user ${own.length}`))
        const user = own.at(-1 - random.below(Math.min(own.length, 5)))!
        try {
          await user.act(client, random, { mayDelete })
          if (--remaining <= 0) resolve()
        } catch (error) {
          if (!isConnectionError(error)) throw error
        }
      }
    })
    await Promise.race([Promise.all(load), enough])
    await sleep(random.below(maxKillDelayMs))
    killing.abort()
    await server.kill()
    await Promise.all(load)
  }
  return await audit(harness, users.flat(), kills)
}

/** Creates the first identity of each user before the first kill. */
async function seedIdentities(harness: ServiceHarness, users: readonly SimulatedUser[]) {
  const { client, server } = await harness.startInstance(settings)
  for (const user of users) await user.logIn(client)
  await server[Symbol.asyncDispose]()
}

async function audit(harness: ServiceHarness, users: readonly SimulatedUser[], kills: number) {
  await sleep(graceMs)
  const { client } = await harness.startInstance(settings)
  const lost = (await harness.waitForReaper(reaperTimeoutMs)).length
  const { emulator } = harness

  const ids = new Set(await emulator.identityIds())
  for (const user of users) await user.audit(emulator, ids)
  for (const user of users) await user.logIn(client)
  const identities = new Set(await emulator.identityIds())
  const mappings = await harness.mappings()
  const mapped = new Set(mappings.values())
  if (mapped.size !== mappings.size) throw new Error('two users share an identity')
  if (mappings.size !== users.length) throw new Error(`${mappings.size} mappings for ${users.length} users`)
  const dangling = [...mapped].filter((id) => !identities.has(id))
  if (dangling.length > 0) throw new Error(`mapped identities do not exist: ${dangling.join(', ')}`)
  const orphans = [...identities].filter((id) => !mapped.has(id)).length
  if (orphans > lost) throw new Error(`${orphans} orphans, but the journal explains only ${lost}`)
  if (orphans > kills) throw new Error(`${orphans} orphans from ${kills} kills`)
  harness.checkSecrets()
  const sum = (count: (user: SimulatedUser) => number) => users.reduce((total, user) => total + count(user), 0)
  return {
    kills,
    users: users.length,
    deletions: sum((user) => user.deletions),
    revocations: sum((user) => user.revocations),
    orphans,
    lost,
  }
}

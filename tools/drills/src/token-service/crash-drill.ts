import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '@acs-kit/test-support/random'
import { CrashPerson } from './crash-person.ts'
import { DrillStage } from './drill-stage.ts'

/** One of them comes with new persons and deletes: so at most one creation is in flight at a kill. */
const clients = 6
/** Counted in what was done, not in time: so that as much happens on a machine that is busy. */
const mostActs = 80
const latestMs = 10
const upstreamDeadlineMs = 500
/** What the reaper leaves alone, since somebody may still work on it, and a little more. */
const graceMs = 2 * upstreamDeadlineMs + 21_000
/** New faces, so that first logins are interrupted as often as anything else. */
const shareOfNewPersons = 0.3

/**
 * Kills a token service under load, at random moments of first logins, deletions and revocations. Throws when anything is
 * lost or doubled of what it had acknowledged, or when an identity is left that no entry of the journal explains.
 */
export async function drillServiceCrashes({ kills, seed }: { kills: number; seed: number }) {
  await using stage = await DrillStage.start()
  const random = new Random(seed)
  const env = { UPSTREAM_DEADLINE_MS: String(upstreamDeadlineMs) }
  const persons = Array.from({ length: clients }, (_, index) => [new CrashPerson(`person ${index}`)])
  await greet(stage, persons.flat(), env)
  for (let kill = 0; kill < kills; kill++) {
    const { client, server } = await stage.startInstance(env)
    const killing = new AbortController()
    let acts = random.below(mostActs)
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    const load = persons.map(async (mine, index) => {
      const mayDelete = index === 0
      while (!killing.signal.aborted) {
        if (mayDelete && random.next() < shareOfNewPersons) mine.push(new CrashPerson(`newcomer ${mine.length}`))
        const person = mine.at(-1 - random.below(Math.min(mine.length, 5)))!
        try {
          await person.act(client, random, { mayDelete })
          if (--acts <= 0) resolve()
        } catch (error) {
          // A connection that ended with the service.
          if (!(error instanceof TypeError)) throw error
        }
      }
    })
    await Promise.race([Promise.all(load), enough])
    await sleep(random.below(latestMs))
    killing.abort()
    await server.kill()
    await Promise.all(load)
  }
  return await audit(stage, persons.flat(), kills, env)
}

/** Gives each their identity before anything goes wrong. */
async function greet(stage: DrillStage, persons: readonly CrashPerson[], env: NodeJS.ProcessEnv): Promise<void> {
  const { client, server } = await stage.startInstance(env)
  for (const person of persons) await person.logIn(client)
  await server[Symbol.asyncDispose]()
}

async function audit(stage: DrillStage, persons: readonly CrashPerson[], kills: number, env: NodeJS.ProcessEnv) {
  await sleep(graceMs)
  const { client } = await stage.startInstance(env)
  let journal = await stage.journal()
  for (const giveUp = Date.now() + 60_000; journal.some(({ kind }) => kind !== 'lost') && Date.now() < giveUp;) {
    await sleep(500)
    journal = await stage.journal()
  }
  const open = journal.filter(({ kind }) => kind !== 'lost')
  if (open.length > 0) throw new Error(`the reaper left ${JSON.stringify(open)}`)

  const ids = new Set(await stage.stack.emulator.identityIds())
  for (const person of persons) await person.audit(stage, ids)
  for (const person of persons) await person.logIn(client)
  const identities = new Set(await stage.stack.emulator.identityIds())
  const mappings = await stage.mappings()
  const mapped = new Set(mappings.values())
  if (mapped.size !== mappings.size) throw new Error('two persons share an identity')
  if (mappings.size !== persons.length) throw new Error(`${mappings.size} mappings for ${persons.length} persons`)
  const dangling = [...mapped].filter((id) => !identities.has(id))
  if (dangling.length > 0) throw new Error(`mapped, but not there: ${dangling.join(', ')}`)
  const orphans = [...identities].filter((id) => !mapped.has(id)).length
  const lost = journal.length
  if (orphans > lost) throw new Error(`${orphans} orphans, but the journal explains ${lost}`)
  if (orphans > kills) throw new Error(`${orphans} orphans from ${kills} kills`)
  stage.checkSecrets()
  const sum = (count: (person: CrashPerson) => number) => persons.reduce((total, person) => total + count(person), 0)
  return {
    kills,
    persons: persons.length,
    deletions: sum((person) => person.deletions),
    revocations: sum((person) => person.revocations),
    orphans,
    lost,
  }
}

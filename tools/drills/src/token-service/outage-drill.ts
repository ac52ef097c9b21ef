import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Azurite } from '@acs-kit/test-support/azurite'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { DrillStage } from './drill-stage.ts'
import { findRefusalFlaw, type ServiceClient } from './service-client.ts'

const cachedUsers = 20
const strangersAtOnce = 5
const upstreamDeadlineMs = 1000
/** The store's own, which is no setting. */
const storeDeadlineMs = 2000
/** For a machine that is busy with the drill itself. */
const slackMs = 2000
const recoveryMs = 20_000

interface Outage {
  readonly name: string
  readonly begin: () => Promise<unknown>
  readonly end: () => Promise<unknown>
  readonly deadlineMs: number
}

/**
 * Azure down, failing, slow and throttling, the store hanging and gone. Throws unless users whose token is cached are all
 * served meanwhile, all others get a clear answer in time, and everybody is served soon afterwards.
 */
export async function drillOutages({ seconds }: { seconds: number }) {
  using folder = new TemporaryFolder()
  await using stage = await DrillStage.start()
  const options = { dataFolder: join(folder.path, 'store') }
  let azurite = await Azurite.start(options)
  try {
    const { client } = await stage.startInstance({
      UPSTREAM_DEADLINE_MS: String(upstreamDeadlineMs),
      IDENTITY_STORE_CONNECTION_STRING: azurite.connectionString,
    })
    const outages: Outage[] = [
      ...Object.entries({
        'Azure is down': { reset: true },
        'Azure fails': { status: 500 },
        'Azure is slow': { latencyMs: 60_000 },
        'Azure throttles': { status: 429, retryAfterSeconds: 2 },
      }).map(([name, fault]) => ({
        name,
        begin: () => stage.stack.emulator.administer('POST', 'faults', fault),
        end: () => stage.stack.emulator.administer('DELETE', 'faults'),
        deadlineMs: upstreamDeadlineMs + slackMs,
      })),
      {
        name: 'the store hangs',
        begin: async () => azurite.pause(),
        end: async () => azurite.resume(),
        deadlineMs: storeDeadlineMs + slackMs,
      },
      {
        name: 'the store is gone',
        begin: () => azurite.kill(),
        end: async () => (azurite = await Azurite.start({ ...options, port: azurite.port })),
        deadlineMs: storeDeadlineMs + slackMs,
      },
    ]
    const report: Record<string, string> = {}
    for (const outage of outages) report[outage.name] = await suffer(outage, client, seconds)
    stage.checkSecrets()
    return report
  } finally {
    azurite.resume()
    await azurite[Symbol.asyncDispose]()
  }
}

async function suffer({ name, begin, end, deadlineMs }: Outage, client: ServiceClient, seconds: number) {
  const users = Array.from({ length: cachedUsers }, (_, index) => `${name}: user ${index}`)
  for (const user of users) if (!(await client.token(user))) throw new Error(`${name}: ${user} was not served before`)
  await begin()
  const until = performance.now() + seconds * 1000
  let served = 0
  let refused = 0
  let slowestMs = 0
  const cached = users.map(async (user) => {
    while (performance.now() < until) {
      if (!(await client.token(user))) throw new Error(`${name}: ${user} has a cached token and was refused`)
      served++
      await sleep(20)
    }
  })
  const strangers = Array.from({ length: strangersAtOnce }, async (_, index) => {
    while (performance.now() < until) {
      const answer = await client.call('POST /v1/token', `${name}: stranger ${index}`, {})
      const flaw = findRefusalFlaw(answer)
      if (flaw !== undefined) throw new Error(`${name}: a stranger’s refusal: ${flaw}`)
      if (answer.ms > deadlineMs) throw new Error(`${name}: a stranger waited for ${Math.round(answer.ms)} ms`)
      slowestMs = Math.max(slowestMs, answer.ms)
      refused++
      await sleep(20)
    }
  })
  await Promise.all([...cached, ...strangers])
  await end()
  const start = performance.now()
  for (const user of [
    ...users,
    ...Array.from({ length: strangersAtOnce }, (_, index) => `${name}: stranger ${index}`),
  ]) {
    while (!(await client.token(user))) {
      if (performance.now() - start > recoveryMs) throw new Error(`${name}: ${user} is not served again`)
      await sleep(100)
    }
  }
  return `${served} served, ${refused} refused in at most ${Math.round(slowestMs)} ms, well after ${Math.round(performance.now() - start)} ms`
}

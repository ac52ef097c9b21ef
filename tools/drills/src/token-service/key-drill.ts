import { setTimeout as sleep } from 'node:timers/promises'
import { DrillStage } from './drill-stage.ts'

const users = 20
/** How often the service looks at its keys, which bounds how long it may hand out the tokens of a dead one. */
const probeMs = 30_000
const slackMs = 2000

/**
 * Regenerates the primary key while users ask for tokens. Throws when a request fails, or when a token of the dead key is handed
 * out after the bound. `asksForNew` lets users find the key dead; without it, only the service's own look does.
 */
export async function drillKeyRegeneration({ asksForNew }: { asksForNew: boolean }) {
  await using stage = await DrillStage.start()
  const secondary = await stage.stack.emulator.regenerateKey('secondary')
  const { client } = await stage.startInstance({
    COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: stage.stack.emulator.connectionStringWith(secondary),
    REVOCATION_BOUND_SECONDS: '3600',
  })
  const names = Array.from({ length: users }, (_, index) => `user ${index}`)
  for (const name of names) await client.token(name)
  // The service's look at its keys after this start has passed by then.
  await sleep(1000)
  const regenerated = await stage.stack.emulator.regenerateKey('primary')
  const regeneratedAt = performance.now()
  const boundMs = asksForNew ? slackMs : probeMs + slackMs
  let requests = 0
  let dead = 0
  let lastDeadMs = 0
  while (performance.now() - regeneratedAt < boundMs + 3000) {
    for (const name of names) {
      const issued = await client.token(name, asksForNew && requests % 7 === 0 ? { refresh: true } : {})
      const ms = performance.now() - regeneratedAt
      if (!issued) throw new Error(`${name} was refused after the regeneration`)
      requests++
      if ((await stage.stack.emulator.tokenState(issued.token)) === 'valid') continue
      if (ms > boundMs) throw new Error(`a token of the dead key was handed out ${Math.round(ms)} ms after its end`)
      dead++
      lastDeadMs = ms
    }
    await sleep(50)
  }
  stage.checkSecrets({ 'the secondary key': secondary, 'the new primary key': regenerated })
  return { requests, ofTheDeadKey: dead, lastAfterMs: Math.round(lastDeadMs), boundMs }
}

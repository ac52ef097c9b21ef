import { setTimeout as sleep } from 'node:timers/promises'
import { DrillStage } from './drill-stage.ts'

const outageMs = 3000

/**
 * Users who all come back at once while Azure is out, and obey Retry-After. Throws unless everybody is served in the end and
 * Azure's limits were kept, as the emulator enforces them.
 */
export async function drillReconnects({ users }: { users: number }) {
  await using stage = await DrillStage.start()
  await stage.stack.emulator.administer('PUT', 'quotas', { documented: true })
  const { client } = await stage.startInstance({ UPSTREAM_DEADLINE_MS: '1000' })
  await stage.stack.emulator.administer('POST', 'faults', { reset: true })
  setTimeout(() => void stage.stack.emulator.administer('DELETE', 'faults'), outageMs)
  const start = performance.now()
  let attempts = 0
  let isOver = false
  const clients = Array.from({ length: users }, async (_, index) => {
    for (;;) {
      attempts++
      const { status, headers, text } = await client.call('POST /v1/token', `user ${index}`, {})
      if (status === 200) return
      if (status !== 503) throw new Error(`user ${index} was answered ${status}: ${text}`)
      await sleep(Number(headers.get('retry-after')) * 1000)
    }
  })
  const watch = watchThrottling(stage, () => isOver)
  await Promise.all(clients)
  const seconds = Math.round((performance.now() - start) / 1000)
  isOver = true
  const throttled = await watch
  if (throttled > 0) throw new Error(`Azure had to throttle ${throttled} times`)
  const identities = (await stage.stack.emulator.identityIds()).length
  const explained = (await stage.journal()).length
  if (identities > users + explained) throw new Error(`${identities} identities for ${users} users`)
  stage.checkSecrets()
  return { users, attempts, seconds, throttled }
}

/** The emulator remembers its last thousand requests, in their order: looked at so often that none gets by. */
async function watchThrottling(stage: DrillStage, isOver: () => boolean): Promise<number> {
  const throttled = new Set<string>()
  do {
    const requests = await stage.stack.emulator.administer<{ at: string; status?: number; clientRequestId?: string }[]>(
      'GET',
      'requests',
    )
    for (const { at, status, clientRequestId } of requests) {
      if (status === 429) throttled.add(`${at} ${clientRequestId}`)
    }
    await sleep(200)
  } while (!isOver())
  return throttled.size
}

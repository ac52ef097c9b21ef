import { Random } from '@acs-kit/test-support/random'
import { expect, it } from 'vitest'
import { tokenSource } from '../src/index.ts'
import { FakeService, signInTokenOf, type Fault } from './fake-service.ts'
import { VirtualClock } from './virtual-clock.ts'

const minute = 60_000
const hour = 60 * minute
const faults: readonly Fault[] = [
  'reset',
  'hang',
  'stale',
  'gateway',
  { status: 500, code: 'internal-error' },
  { status: 503, code: 'communication-throttled', retryAfter: 20 },
  { status: 429, code: 'rate-limited', retryAfter: 5 },
]

// Twenty days of outages, sleep, wrong clocks, revocations and changing users.
it.each([1, 2, 3, 4, 5, 6])(
  'nobody is without a token while there could be one, or has another’s (seed %d)',
  async (seed) => {
    const numbers = new Random(seed)
    const random = () => numbers.next()
    const clock = new VirtualClock()
    const service = new FakeService(clock)
    const skew = [0, 10 * minute, -10 * minute][seed % 3]!
    let user = 'alice'
    let downUntil = 0
    let fault: Fault = 'reset'
    service.faults = (at) => (at < downUntil ? fault : undefined)
    using source = tokenSource({
      url: 'https://tokens.example.com',
      getSignInToken: () => signInTokenOf(user),
      fetch: service.fetch,
      clock: { now: () => clock.now() + skew, after: clock.after.bind(clock) },
      random,
    })
    const counts = { served: 0, refused: 0, bridged: 0 }
    let lastEnd = 0
    const waitings: Promise<unknown>[] = []
    for (const end = clock.now() + 20 * 24 * hour; clock.now() < end;) {
      if (random() < 0.02) {
        downUntil = clock.now() + random() * (random() < 0.5 ? 2 * minute : 30 * hour)
        fault = faults[Math.floor(random() * faults.length)]!
      }
      if (random() < 0.01) clock.sleep(random() * 12 * hour)
      if (random() < 0.02) {
        // Somebody may just be waiting.
        if (random() < 0.5) source.invalidate()
        const former = user
        const waiting = source.getToken().then(
          ({ communicationUserId }) => expect(communicationUserId).toBe(`8:acs:resource_${former}`),
          () => undefined,
        )
        waitings.push(waiting)
        if (random() < 0.5) user = user === 'alice' ? 'bob' : 'alice'
        source.invalidate()
        lastEnd = 0
      }
      service.latencyMs = random() * 3000
      const asked = { user, at: clock.now(), isDown: clock.now() < downUntil, hasToken: lastEnd > clock.now() + minute }
      const token = source.getToken().catch((error: unknown) => error as Error)
      await clock.advanceUntil(token, 2 * minute)
      const came = await token
      if (came instanceof Error) {
        counts.refused++
        expect(asked.isDown, `${came.message} though the service was there`).toBe(true)
        expect(asked.hasToken, `${came.message} though there was a token`).toBe(false)
      } else {
        counts.served++
        if (asked.isDown && clock.now() <= asked.at + 100) counts.bridged++
        lastEnd = Date.parse(came.expiresOn)
        expect(came.communicationUserId).toBe(`8:acs:resource_${asked.user}`)
        expect(lastEnd).toBeGreaterThan(asked.at)
      }
      await clock.advance(random() * 30 * minute)
    }
    source.dispose()
    await Promise.all(waitings)
    // All of it was met.
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(5)
  },
)

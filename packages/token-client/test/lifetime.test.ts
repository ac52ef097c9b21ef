import { Random } from '@acs-kit/test-support/random'
import { expect, it } from 'vitest'
import { tokenSource } from '../src/index.ts'
import { FakeService, createSignInToken, type Fault } from './fake-service.ts'
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

// Simulates 20 days of outages, sleep, wrong clocks, revocations and changing users.
it.each([1, 2, 3, 4, 5, 6])('returns a token of the right user whenever one is available (seed %d)', async (seed) => {
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
    getSignInToken: () => createSignInToken(user),
    fetch: service.fetch,
    clock: { now: () => clock.now() + skew, after: clock.after.bind(clock) },
    random,
  })
  const counts = { returned: 0, rejected: 0, bridged: 0 }
  let lastExpiry = 0
  const pendingCalls: Promise<unknown>[] = []
  for (const end = clock.now() + 20 * 24 * hour; clock.now() < end;) {
    if (random() < 0.02) {
      downUntil = clock.now() + random() * (random() < 0.5 ? 2 * minute : 30 * hour)
      fault = faults[Math.floor(random() * faults.length)]!
    }
    if (random() < 0.01) clock.sleep(random() * 12 * hour)
    if (random() < 0.02) {
      // Sometimes a call is pending when the user changes.
      if (random() < 0.5) source.invalidate()
      const previousUser = user
      const pendingCall = source.getToken().then(
        ({ communicationUserId }) => expect(communicationUserId).toBe(`8:acs:resource_${previousUser}`),
        () => undefined,
      )
      pendingCalls.push(pendingCall)
      if (random() < 0.5) user = user === 'alice' ? 'bob' : 'alice'
      source.invalidate()
      lastExpiry = 0
    }
    service.latencyMs = random() * 3000
    const call = { user, at: clock.now(), isDown: clock.now() < downUntil, hasToken: lastExpiry > clock.now() + minute }
    const token = source.getToken().catch((error: unknown) => error as Error)
    await clock.advanceUntil(token, 2 * minute)
    const result = await token
    if (result instanceof Error) {
      counts.rejected++
      expect(call.isDown, `${result.message} although the service was up`).toBe(true)
      expect(call.hasToken, `${result.message} although there was a token`).toBe(false)
    } else {
      counts.returned++
      if (call.isDown && clock.now() <= call.at + 100) counts.bridged++
      lastExpiry = Date.parse(result.expiresOn)
      expect(result.communicationUserId).toBe(`8:acs:resource_${call.user}`)
      expect(lastExpiry).toBeGreaterThan(call.at)
    }
    await clock.advance(random() * 30 * minute)
  }
  source.dispose()
  await Promise.all(pendingCalls)
  // Every outcome occurred.
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(5)
})

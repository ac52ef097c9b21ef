import { beforeEach, expect, it } from 'vitest'
import type { FakeService } from './fake-service.ts'
import { Harness, hour, minute, unavailable } from './harness.ts'
import type { VirtualClock } from './virtual-clock.ts'

let app: Harness
let clock: VirtualClock
let service: FakeService

beforeEach(() => {
  app = new Harness()
  clock = app.clock
  service = app.service
})

it.each([-10 * minute, 10 * minute, 26 * hour])('corrects a clock that is %d ms off', async (skew) => {
  const wrong = { now: () => clock.now() + skew, after: clock.after.bind(clock) }
  using source = app.createSource({ clock: wrong })
  for (let passed = 0; passed < 50 * hour; passed += 5 * minute) {
    const { expiresOn } = await source.getToken()
    expect(Date.parse(expiresOn)).toBeGreaterThan(clock.now())
    expect(Math.abs(source.now() - clock.now())).toBeLessThanOrEqual(1000)
    await clock.advance(5 * minute)
  }
  expect(service.requests.length).toBeLessThanOrEqual(3)
  expect(app.errors).toEqual([])
})

it.each([-10 * minute, 10 * minute])('waits as long with a clock that is %d ms off', async (skew) => {
  const wrong = { now: () => clock.now() + skew, after: clock.after.bind(clock) }
  let left = 1
  service.faults = () => (left-- > 0 ? unavailable : undefined)
  using source = app.createSource({ clock: wrong })
  expect(await app.settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
  service.faults = () => unavailable
  source.invalidate()
  const start = clock.now()
  expect(await app.settle(source.getToken())).toMatchObject({ code: 'communication-unavailable' })
  expect(clock.now() - start).toBeGreaterThan(10_000)
  expect(clock.now() - start).toBeLessThan(45_000)
})

it('tolerates a clock that is set back', async () => {
  let setBack = 0
  const moved = { now: () => clock.now() - setBack, after: clock.after.bind(clock) }
  using source = app.createSource({ clock: moved })
  const first = await source.getToken()
  await clock.advance(20 * hour)
  setBack = 5 * hour
  expect(await source.getToken()).toBe(first)
  await clock.advance(1000)
  expect(source.now()).toBeGreaterThan(clock.now() - 2000)
  await clock.advance(4.5 * hour)
  expect(await app.settle(source.getToken())).not.toBe(first)

  service.faults = () => unavailable
  source.invalidate()
  await app.settle(source.getToken())
  service.faults = () => undefined
  setBack = 10 * hour
  expect(await app.settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
})

it.each([
  [1900, 1],
  [2100, 2],
])('after the clock was set back by %d ms, has sent %d requests', async (setBack, requests) => {
  let offset = 0
  using source = app.createSource({ clock: { now: () => clock.now() - offset, after: clock.after.bind(clock) } })
  await source.getToken()
  offset = setBack
  await source.getToken()
  await clock.advance(0)
  expect(service.requests).toHaveLength(requests)
})

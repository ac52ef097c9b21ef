import { beforeEach, expect, it } from 'vitest'
import { Harness, hour, minute, unavailable } from './harness.ts'

let app: Harness

beforeEach(() => {
  app = new Harness()
})

it.each([-10 * minute, 10 * minute, 26 * hour])('corrects a clock that is %d ms off', async (skew) => {
  const wrong = { now: () => app.clock.now() + skew, after: app.clock.after.bind(app.clock) }
  using source = app.createSource({ clock: wrong })
  for (let passed = 0; passed < 50 * hour; passed += 5 * minute) {
    const { expiresOn } = await source.getToken()
    expect(Date.parse(expiresOn)).toBeGreaterThan(app.clock.now())
    expect(Math.abs(source.now() - app.clock.now())).toBeLessThanOrEqual(1000)
    await app.clock.advance(5 * minute)
  }
  expect(app.service.requests.length).toBeLessThanOrEqual(3)
  expect(app.errors).toEqual([])
})

it.each([-10 * minute, 10 * minute])('waits as long with a clock that is %d ms off', async (skew) => {
  const wrong = { now: () => app.clock.now() + skew, after: app.clock.after.bind(app.clock) }
  let left = 1
  app.service.faults = () => (left-- > 0 ? unavailable : undefined)
  using source = app.createSource({ clock: wrong })
  expect(await app.settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
  app.service.faults = () => unavailable
  source.invalidate()
  const start = app.clock.now()
  expect(await app.settle(source.getToken())).toMatchObject({ code: 'communication-unavailable' })
  expect(app.clock.now() - start).toBeGreaterThan(10_000)
  expect(app.clock.now() - start).toBeLessThan(45_000)
})

it('tolerates a clock that is set back', async () => {
  let setBack = 0
  const moved = { now: () => app.clock.now() - setBack, after: app.clock.after.bind(app.clock) }
  using source = app.createSource({ clock: moved })
  const first = await source.getToken()
  await app.clock.advance(20 * hour)
  setBack = 5 * hour
  expect(await source.getToken()).toBe(first)
  await app.clock.advance(1000)
  expect(source.now()).toBeGreaterThan(app.clock.now() - 2000)
  await app.clock.advance(4.5 * hour)
  expect(await app.settle(source.getToken())).not.toBe(first)

  app.service.faults = () => unavailable
  source.invalidate()
  await app.settle(source.getToken())
  app.service.faults = () => undefined
  setBack = 10 * hour
  expect(await app.settle(source.getToken())).toMatchObject({ communicationUserId: '8:acs:resource_alice' })
})

it.each([
  [1900, 1],
  [2100, 2],
])('after the clock was set back by %d ms, has sent %d requests', async (setBack, requests) => {
  let offset = 0
  using source = app.createSource({
    clock: { now: () => app.clock.now() - offset, after: app.clock.after.bind(app.clock) },
  })
  await source.getToken()
  offset = setBack
  await source.getToken()
  await app.clock.advance(0)
  expect(app.service.requests).toHaveLength(requests)
})

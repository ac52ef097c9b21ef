import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import type { FastifyInstance } from 'fastify'
import { sdk, ServiceFixture } from './service-fixture.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const boundMs = 300_000
const probeMs = 30_000

/** Reproducible numbers from 0 to 1. */
function createRandom(seed: number): () => number {
  let count = 0
  return () => createHash('sha256').update(`${seed} ${count++}`).digest().readUInt32BE() / 2 ** 32
}

/** A user of two instances of the service, with a clock that the test moves. */
class Simulation implements AsyncDisposable {
  readonly #fixture: ServiceFixture
  readonly #services: FastifyInstance[]
  readonly #random: () => number
  readonly #clock: { now: number }
  /** Time at which earlier tokens became invalid, and time that the service may take to notice. */
  #invalidatedAt = -Infinity
  #noticedWithinMs = 0
  logins = 0

  private constructor(
    fixture: ServiceFixture,
    services: FastifyInstance[],
    random: () => number,
    clock: { now: number },
  ) {
    this.#fixture = fixture
    this.#services = services
    this.#random = random
    this.#clock = clock
  }

  static async start(seed: number): Promise<Simulation> {
    const clock = { now: Date.now() }
    const random = createRandom(seed)
    const fixture = await ServiceFixture.start({ now: () => clock.now, random })
    const simulation = new Simulation(fixture, [], random, clock)
    await simulation.#startServices()
    return simulation
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#fixture[Symbol.asyncDispose]()
  }

  advance(ms: number): void {
    this.#clock.now += ms
    this.#fixture.emulator.clock.set(new Date(this.#clock.now))
  }

  randomUpTo(limit: number): number {
    return this.#random() * limit
  }

  async logIn(): Promise<void> {
    const { status, body } = await this.#call('POST /v1/token')
    expect(status, 'rejected').toBe(200)
    this.logins++
    const { state } = this.#fixture.emulator.introspect(body.token)
    if (state !== 'valid') {
      expect(state).not.toBe('expired')
      const ageMs = this.#clock.now - this.#invalidatedAt
      expect(ageMs, `received a ${state} token`).toBeLessThan(this.#noticedWithinMs)
    }
    expect(Date.parse(body.expiresOn) - this.#clock.now).toBeGreaterThanOrEqual(20 * minute)
  }

  async revoke(): Promise<void> {
    expect((await this.#call('POST /v1/token/revoke')).status).toBe(204)
    this.#invalidate(boundMs)
  }

  async deleteIdentity(): Promise<void> {
    expect((await this.#call('DELETE /v1/identity')).status).toBe(204)
    this.#invalidate(boundMs)
  }

  /** Leaves the service with the other key until it is restarted with the new one. */
  async regenerateKey(): Promise<void> {
    this.#fixture.emulator.resources[0]!.regenerateKey('primary')
    this.#invalidate(probeMs)
    await this.logIn()
    this.advance(probeMs)
    await Promise.all(this.#services.map(({ health }) => health.check()))
    await this.logIn()
    this.advance(this.randomUpTo(day))
    await this.logIn()
    await this.#startServices()
  }

  async sendExpiredSignIn(): Promise<void> {
    const token = await this.#fixture.issuer.sign({}, { now: this.#clock.now - 2 * hour })
    expect((await this.#fixture.call('POST /v1/token', { token, service: this.#anyService })).body.code).toBe(
      'token-expired',
    )
  }

  #invalidate(noticedWithinMs: number): void {
    this.#invalidatedAt = this.#clock.now
    this.#noticedWithinMs = noticedWithinMs
  }

  async #startServices(): Promise<void> {
    const { connectionString, secondaryConnectionString } = this.#fixture.emulator.resources[0]!
    const env = {
      COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
      COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: secondaryConnectionString,
    }
    this.#services.splice(0, 2, await this.#fixture.addInstance(env), await this.#fixture.addInstance(env))
  }

  get #anyService(): FastifyInstance {
    return this.#services[Math.floor(this.randomUpTo(2))]!
  }

  #call(request: string) {
    return this.#fixture.call(request, { service: this.#anyService })
  }
}

// Each revocation with the administration SDK takes a second of real time.
const simulations: [days: number, seed: number][] =
  sdk === 'administration' ? [[10, 1]] : [1, 2, 3].map((seed) => [30, seed])

it.each(simulations)(
  'for %i days, always issues a token and never returns a revoked one after the bound (seed %i)',
  async (days, seed) => {
    await using simulation = await Simulation.start(seed)
    const events: [share: number, event: () => Promise<void> | void][] = [
      [0.55, () => simulation.logIn()],
      [0.7, () => simulation.advance(simulation.randomUpTo(10 * minute))],
      [0.8, () => simulation.revoke()],
      [0.85, () => simulation.deleteIdentity()],
      [0.9, () => simulation.sendExpiredSignIn()],
      [0.92, () => simulation.regenerateKey()],
      [1, () => simulation.advance(simulation.randomUpTo(2 * day))],
    ]
    let elapsed = 0
    while (elapsed < days * day) {
      const share = simulation.randomUpTo(1)
      await events.find(([limit]) => share < limit)![1]()
      const step = simulation.randomUpTo(simulation.randomUpTo(1) < 0.5 ? 10 * minute : 6 * hour)
      simulation.advance(step)
      elapsed += step
    }
    expect(simulation.logins).toBeGreaterThan(1.5 * days)
  },
)

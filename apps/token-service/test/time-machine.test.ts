import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { FastifyInstance } from 'fastify'
import { sdk, ServiceFixture } from './service-fixture.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const boundMs = 300_000
const probeMs = 30_000

/** Numbers from 0 to 1 that are the same at each run with the same seed. */
function randomOf(seed: number): () => number {
  let count = 0
  return () => createHash('sha256').update(`${seed} ${count++}`).digest().readUInt32BE() / 2 ** 32
}

/** A person, two instances of the service, and a clock that is moved. */
class Life implements AsyncDisposable {
  readonly #fixture: ServiceFixture
  readonly #services: FastifyInstance[]
  readonly #random: () => number
  readonly #clock: { now: number }
  /** When tokens from before stopped being good, and how long the service may need to notice. */
  #endedAt = -Infinity
  #noticedWithin = 0
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

  static async start(seed: number): Promise<Life> {
    const clock = { now: Date.now() }
    const random = randomOf(seed)
    const fixture = await ServiceFixture.start({ now: () => clock.now, random })
    const life = new Life(fixture, [], random, clock)
    await life.#startServices()
    return life
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#fixture[Symbol.asyncDispose]()
  }

  pass(ms: number): void {
    this.#clock.now += ms
    this.#fixture.emulator.clock.set(new Date(this.#clock.now))
  }

  /** A number from 0 up to the limit. */
  upTo(limit: number): number {
    return this.#random() * limit
  }

  async logIn(): Promise<void> {
    const { status, body } = await this.#call('POST /v1/token')
    expect(status, 'locked out').toBe(200)
    this.logins++
    const { state } = this.#fixture.emulator.introspect(body.token)
    if (state !== 'valid') {
      expect(state).not.toBe('expired')
      const sinceEnd = this.#clock.now - this.#endedAt
      expect(sinceEnd, `let in with a ${state} token`).toBeLessThan(this.#noticedWithin)
    }
    expect(Date.parse(body.expiresOn) - this.#clock.now).toBeGreaterThanOrEqual(20 * minute)
  }

  async revoke(): Promise<void> {
    expect((await this.#call('POST /v1/token/revoke')).status).toBe(204)
    this.#end(boundMs)
  }

  async erase(): Promise<void> {
    expect((await this.#call('DELETE /v1/identity')).status).toBe(204)
    this.#end(boundMs)
  }

  /** Without warning: the service is left with the other key, until it is given the new one. */
  async regenerateKey(): Promise<void> {
    this.#fixture.emulator.resources[0]!.regenerateKey('primary')
    this.#end(probeMs)
    await this.logIn()
    this.pass(probeMs)
    await Promise.all(this.#services.map(({ health }) => health.check()))
    await this.logIn()
    this.pass(this.upTo(day))
    await this.logIn()
    await this.#startServices()
  }

  async comeWithOldSignIn(): Promise<void> {
    const token = await this.#fixture.issuer.sign({}, { now: this.#clock.now - 2 * hour })
    expect((await this.#fixture.call('POST /v1/token', { token, service: this.#any })).body.code).toBe('token-expired')
  }

  #end(noticedWithin: number): void {
    this.#endedAt = this.#clock.now
    this.#noticedWithin = noticedWithin
  }

  async #startServices(): Promise<void> {
    const { connectionString, secondaryConnectionString } = this.#fixture.emulator.resources[0]!
    const env = {
      COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
      COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: secondaryConnectionString,
    }
    this.#services.splice(0, 2, await this.#fixture.addInstance(env), await this.#fixture.addInstance(env))
  }

  get #any(): FastifyInstance {
    return this.#services[Math.floor(this.upTo(2))]!
  }

  async #call(request: string) {
    const token = await this.#fixture.issuer.sign({}, { now: this.#clock.now })
    return this.#fixture.call(request, { token, service: this.#any })
  }
}

// Each revocation by the administration SDK takes a second of the machine's own time.
test.each(sdk === 'administration' ? [1] : [1, 2, 3])(
  'thirty days of a person’s life: never locked out, never let in after the bound (seed %i)',
  async (seed) => {
    await using life = await Life.start(seed)
    const events: [share: number, event: () => Promise<void> | void][] = [
      [0.55, () => life.logIn()],
      [0.7, () => life.pass(life.upTo(10 * minute))],
      [0.8, () => life.revoke()],
      [0.85, () => life.erase()],
      [0.9, () => life.comeWithOldSignIn()],
      [0.92, () => life.regenerateKey()],
      [1, () => life.pass(life.upTo(2 * day))],
    ]
    let passed = 0
    while (passed < 30 * day) {
      const share = life.upTo(1)
      await events.find(([limit]) => share < limit)![1]()
      const step = life.upTo(life.upTo(1) < 0.5 ? 10 * minute : 6 * hour)
      life.pass(step)
      passed += step
    }
    expect(life.logins).toBeGreaterThan(50)
  },
)

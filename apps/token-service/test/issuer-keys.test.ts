import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import type { JWK } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

const minute = 60_000
let fixture: ServiceFixture
let clock = Date.now()

beforeAll(async () => {
  fixture = await ServiceFixture.start({ now: () => clock })
})
afterAll(() => fixture[Symbol.asyncDispose]())

let issuer: SignInIssuer
beforeEach(async () => {
  issuer = await SignInIssuer.start()
  return () => issuer[Symbol.asyncDispose]()
})

/** Sends a request with a token of the test's issuer, and returns the status. */
async function getStatus(service: Awaited<ReturnType<typeof trust>>, token: string | Promise<string>) {
  return (await fixture.call('POST /v1/token', { service, token: await token })).status
}

function trust(settings: object = {}) {
  return fixture.addInstance({
    SIGN_IN_ISSUERS: JSON.stringify([{ issuer: issuer.issuer, audience, ...settings }]),
    // Differs from the deadline of the keys, which a test shortens.
    UPSTREAM_DEADLINE_MS: '6000',
  })
}

/** Signs a token of a new user, so that no sign-in is cached. */
let users = 0
function sign(header: { kid?: string | undefined } = {}) {
  const exp = Math.floor(clock / 1000) + 48 * 60 * 60
  return issuer.sign({ sub: `user ${users++}`, exp }, { now: clock, ...header })
}

describe('a withdrawn key', () => {
  it.each([11 * minute, 23 * 60 * minute])(
    'is rejected by an instance after %d ms without requests',
    async (idleMs) => {
      const service = await trust()
      expect(await getStatus(service, sign())).toBe(200)
      const withdrawn = await Promise.all([sign(), sign(), sign()])
      await issuer.rotate()
      issuer.dropOldKeys()
      clock += idleMs
      const statuses = await Promise.all(withdrawn.map((token) => getStatus(service, token)))
      expect(statuses).toEqual([401, 401, 401])
      expect(await getStatus(service, sign())).toBe(200)
    },
  )

  it('causes one reload for concurrent requests', async () => {
    const service = await trust()
    expect(await getStatus(service, sign())).toBe(200)
    clock += 11 * minute
    const before = issuer.keyRequests
    const statuses = await Promise.all([sign(), sign(), sign()].map((token) => getStatus(service, token)))
    expect(statuses).toEqual([200, 200, 200])
    expect(issuer.keyRequests - before).toBe(1)
  })

  it('is rejected if the issuer moves its keys and leaves the old ones in place', async () => {
    const service = await trust()
    expect(await getStatus(service, sign())).toBe(200)
    const withdrawn = await sign()
    const old = [issuer.publicKey]
    await issuer.rotate()
    issuer.dropOldKeys()
    issuer.keysPath = '/moved/keys'
    issuer.publish = (keys, path) => (path === '/keys' ? old : keys)
    clock += 11 * minute
    expect(await getStatus(service, withdrawn)).toBe(401)
  })

  it('is accepted for 24 hours while the reload fails, and rejected once it succeeds', async () => {
    const service = await trust()
    expect(await getStatus(service, sign())).toBe(200)
    const tokens = await Promise.all([sign(), sign(), sign(), sign()])
    await issuer.rotate()
    issuer.dropOldKeys()
    issuer.isDown = true
    clock += 23 * 60 * minute
    expect(await getStatus(service, tokens[0])).toBe(200)
    // The next token does not wait for another failure.
    const before = issuer.keyRequests
    expect(await getStatus(service, tokens[1])).toBe(200)
    expect(issuer.keyRequests).toBe(before)
    issuer.isDown = false
    clock += 6000
    expect(await getStatus(service, tokens[2])).toBe(401)
    issuer.isDown = true
    clock += 25 * 60 * minute
    expect(await getStatus(service, tokens[3])).toBe(503)
  })

  it('is accepted after a deadline if the issuer does not respond', async () => {
    let isHanging = false
    const proxy = createServer((_request, response) => {
      if (!isHanging) response.end(JSON.stringify({ keys: [issuer.publicKey] }))
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const service = await trust({ jwksUri: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/keys` })
    expect(await getStatus(service, sign())).toBe(200)
    isHanging = true
    clock += 11 * minute
    const timeout = AbortSignal.timeout.bind(AbortSignal)
    using spy = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms === 5000 ? 50 : ms))
    expect(await getStatus(service, sign())).toBe(200)
    expect(spy).toHaveBeenCalledWith(5000)
    proxy.closeAllConnections()
    proxy.close()
  })
})

describe('the verification of a token', () => {
  const without = (key: JWK) => ({ ...key, kid: undefined })
  const cases: [string, (keys: readonly JWK[]) => readonly object[], { kid?: string | undefined }][] = [
    ['two without kid', (keys) => keys.map(without), { kid: undefined }],
    ['two with kid, which the token does not name', (keys) => keys, { kid: undefined }],
    ['two with the same kid', (keys) => keys.map((key) => ({ ...key, kid: 'same' })), { kid: 'same' }],
    ['each published twice', (keys) => [...keys, ...keys], {}],
    ['each published twice, without kid', (keys) => [...keys, ...keys].map(without), { kid: undefined }],
  ]

  it.each(cases)('tries all matching keys: %s', async (_name, publish, header) => {
    issuer.publish = publish
    const first = await sign(header)
    await issuer.rotate()
    const second = await sign(header)
    const service = await trust()
    expect(await getStatus(service, first)).toBe(200)
    expect(await getStatus(service, second)).toBe(200)
    await using other = await SignInIssuer.start()
    const kid = 'kid' in header ? header.kid : issuer.publicKey.kid
    const forged = await other.sign({ iss: issuer.issuer }, { now: clock, kid })
    expect(await getStatus(service, forged)).toBe(401)
  })

  it('tries a new key that the token does not name', async () => {
    issuer.publish = (keys) => keys.map(without)
    const service = await trust()
    expect(await getStatus(service, sign({ kid: undefined }))).toBe(200)
    await issuer.rotate()
    issuer.dropOldKeys()
    expect(await getStatus(service, sign({ kid: undefined }))).toBe(200)
  })
})

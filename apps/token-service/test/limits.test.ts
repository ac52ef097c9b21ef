import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FastifyInstance } from 'fastify'
import { createRateLimit } from '../src/rate-limit.ts'
import { ServiceFixture } from './service-fixture.ts'

let fixture: ServiceFixture
let clock = Date.now()

beforeAll(async () => {
  const env = { TRUSTED_PROXIES: '1', BAD_REQUESTS_PER_MINUTE: '3' }
  fixture = await ServiceFixture.start({ env, now: () => clock })
})
afterAll(() => fixture[Symbol.asyncDispose]())

/** Sends a request from an address that a proxy reports, and returns the problem code. */
async function callFrom(
  address: string,
  { token = null, service }: { token?: string | null; service: FastifyInstance },
) {
  const headers = { 'x-forwarded-for': address }
  return (await fixture.call('GET /v1/identity', { service, token, headers })).body.code as string
}

it('limits the rejected requests of an address whose port changes', async () => {
  const service = await fixture.addInstance()
  const codes = []
  for (let port = 50_000; port < 50_008; port++) codes.push(await callFrom(`203.0.113.5:${port}`, { service }))
  expect(codes).toEqual([...Array(3).fill('token-missing'), ...Array(5).fill('rate-limited')])
})

describe('one address', () => {
  it.each<[string, string[]]>([
    ['IPv4', ['203.0.113.5:1', '203.0.113.5', '::ffff:203.0.113.5', '[::ffff:203.0.113.5]:2', '::ffff:cb00:7105']],
    [
      'an IPv6 customer',
      ['2001:db8:0:1200::1', '[2001:db8:0:12ff::9]:443', '2001:DB8:0:1234:0::1', '[2001:db8:0:1201::]'],
    ],
    [
      'an invalid address',
      ['unknown', '_hidden', '1', '203.0.113.5:1:2', '[203.0.113.5', '[x]:1', '203.0.113.999', '0x7f.1'],
    ],
    ['an invalid address after a valid one', ['198.51.100.1, x1', '198.51.100.2, x2', '198.51.100.3, x3', 'x4']],
  ])('is %s in every spelling', async (_name, spellings) => {
    const service = await fixture.addInstance({ BAD_REQUESTS_PER_MINUTE: '1' })
    const codes = []
    for (const address of spellings) codes.push(await callFrom(address, { service }))
    expect(codes).toEqual(['token-missing', ...Array(spellings.length - 1).fill('rate-limited')])
  })

  it('does not include its neighbours', async () => {
    const service = await fixture.addInstance({ BAD_REQUESTS_PER_MINUTE: '1' })
    for (const address of ['203.0.113.5', '203.0.113.6:1', '2001:db8:0:1200::1', '[2001:db8:0:1300::1]:1', 'unknown']) {
      expect(await callFrom(address, { service })).toBe('token-missing')
    }
  })

  it('is the one that the first of two trusted proxies reports', async () => {
    const service = await fixture.addInstance({ BAD_REQUESTS_PER_MINUTE: '1', TRUSTED_PROXIES: '2' })
    const call = (text: string) => callFrom(text, { service })
    expect(await call('198.51.100.1, 203.0.113.5:1, 10.0.0.1:1')).toBe('token-missing')
    expect(await call('198.51.100.2, 203.0.113.5:2, 10.0.0.2:2')).toBe('rate-limited')
    expect(await call('203.0.113.6, invalid, 10.0.0.2:2')).toBe('token-missing')
    expect(await call('203.0.113.7, other invalid, 10.0.0.2:3')).toBe('rate-limited')
  })
})

it('does not count rejections of validly signed tokens', async () => {
  const issuers = [{ issuer: fixture.issuer.issuer, audience, required: 'access_as_user' }]
  const service = await fixture.addInstance({ SIGN_IN_ISSUERS: JSON.stringify(issuers) })
  const seconds = Math.floor(clock / 1000)
  const claims = [
    { exp: seconds - 60 },
    { nbf: seconds + 600 },
    { aud: 'api://other' },
    { scp: 'other' },
    { sub: undefined },
    { exp: undefined },
  ]
  const tokens = await Promise.all(claims.map((some) => fixture.sign(some)))
  tokens.push(await fixture.issuer.sign({}, { now: clock, typ: 'logout+jwt' }))
  const rejected =
    'token-expired token-not-yet-valid token-invalid permission-missing token-invalid token-invalid token-invalid'
  for (let round = 0; round < 2; round++) {
    const codes = []
    for (const token of tokens) codes.push(await callFrom('203.0.113.5', { token, service }))
    expect(codes.join(' ')).toBe(rejected)
  }
})

it('counts rejections of a signed-in user against the user, not the address', async () => {
  const service = await fixture.addInstance()
  const signIn = (sub: string) => fixture.sign({ sub })
  const [mallory, bob] = [await signIn('mallory'), await signIn('bob')]
  const codes = []
  for (let index = 0; index < 4; index++) codes.push(await callFrom('203.0.113.5', { token: mallory, service }))
  expect(codes).toEqual([...Array(3).fill('identity-unknown'), 'rate-limited'])
  expect(await callFrom('203.0.113.6', { token: mallory, service })).toBe('rate-limited')
  expect(await callFrom('203.0.113.5', { token: bob, service })).toBe('identity-unknown')
  expect(await callFrom('203.0.113.5', { service })).toBe('token-missing')
})

it('verifies no signature above the limit, and serves known users', async () => {
  await using otherIssuer = await SignInIssuer.start()
  const service = await fixture.addInstance()
  const known = await fixture.sign({ sub: 'known' })
  const call = (token: string) => callFrom('203.0.113.5:1', { token, service })
  expect(await call(known)).toBe('identity-unknown')
  const forge = (kid: string) => otherIssuer.sign({ iss: fixture.issuer.issuer }, { now: clock, kid })
  for (let index = 0; index < 3; index++) expect(await call(await forge(`forged-${index}`))).toBe('token-invalid')
  expect(await call(await forge('forged'))).toBe('rate-limited')

  clock += 60_000
  const before = fixture.issuer.keyRequests
  expect(await call(await forge('another'))).toBe('rate-limited')
  expect(fixture.issuer.keyRequests).toBe(before)
  const valid = await fixture.sign({ sub: 'new' })
  expect(await call(valid)).toBe('rate-limited')
  expect(await call(known)).toBe('identity-unknown')
  expect(await callFrom('203.0.113.6:1', { token: valid, service })).toBe('identity-unknown')
})

describe("a user's minute", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('begins with the first request and ends the limit', async () => {
    const service = await fixture.addInstance({ TOKENS_PER_MINUTE: '2', BAD_REQUESTS_PER_MINUTE: '100' })
    const token = await fixture.sign({ sub: 'frequent' })
    const call = async () => {
      const { body, headers } = await fixture.call('GET /v1/identity', { service, token })
      return [body.code, headers['retry-after']]
    }
    expect(await call()).toEqual(['identity-unknown', undefined])
    vi.advanceTimersByTime(30_000)
    expect(await call()).toEqual(['identity-unknown', undefined])
    expect(await call()).toEqual(['rate-limited', '30'])
    vi.advanceTimersByTime(29_500)
    expect(await call()).toEqual(['rate-limited', '1'])
    vi.advanceTimersByTime(500)
    expect(await call()).toEqual(['identity-unknown', undefined])
    expect(await call()).toEqual(['identity-unknown', undefined])
    expect(await call()).toEqual(['rate-limited', '60'])
  })

  it('is forgotten once 100,000 others are counted', () => {
    const { count, check } = createRateLimit(1)
    expect([count('first'), count('first'), check('first')]).toEqual([0, 60_000, 60_000])
    for (let other = 0; other < 100_000; other++) count(`other-${other}`)
    expect([check('first'), count('other-0')]).toEqual([0, 60_000])
  })
})

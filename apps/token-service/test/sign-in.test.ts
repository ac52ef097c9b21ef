import { createHmac } from 'node:crypto'
import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { UnsecuredJWT, SignJWT, exportSPKI, importJWK, generateKeyPair, type CryptoKey } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toPrincipal } from '../src/sign-in/principal.ts'
import { ServiceFixture } from './service-fixture.ts'

let fixture: ServiceFixture
let clock = Date.now()

beforeAll(async () => {
  fixture = await ServiceFixture.start({ now: () => clock })
})
afterAll(() => fixture[Symbol.asyncDispose]())

const seconds = () => Math.floor(clock / 1000)

describe('a service', () => {
  const cases: [string, () => Promise<string> | string | null, string, RegExp][] = [
    ['without a token', () => null, 'token-missing', /Send the header Authorization/],
    ['with a token that is not a JWT', () => 'abc', 'token-invalid', /must be Bearer <JWT>/],
    ['with a malformed JWT', () => 'a.b.c', 'token-invalid', /not a JWT/],
    ['with an expired token', () => fixture.sign({ exp: seconds() - 10 }), 'token-expired', /Sign in again/],
    ['with a token without expiry', () => fixture.issuer.sign({ exp: undefined }), 'token-invalid', /exp/],
    [
      'with a token that is not valid yet',
      () => fixture.issuer.sign({ nbf: seconds() + 60 }),
      'token-not-yet-valid',
      /nbf/,
    ],
    [
      'with a token for another audience',
      () => fixture.issuer.sign({ aud: 'api://other' }),
      'token-invalid',
      /audience \(aud\) api:\/\/tokens/,
    ],
    [
      'with a token of an untrusted issuer',
      () => fixture.issuer.sign({ iss: 'https://evil.example' }),
      'token-invalid',
      /issuer/,
    ],
    ['with a token without subject', () => fixture.issuer.sign({ sub: undefined }), 'token-invalid', /claim sub/],
    [
      'with a token signed by an unknown key',
      () => fixture.issuer.sign({}, { kid: 'unknown' }),
      'token-invalid',
      /kid/,
    ],
    ['with a token signed by a forged key', () => forge(fixture.issuer), 'token-invalid', /signature/],
    [
      'with an unsigned token (alg: none)',
      () => unsigned(fixture.issuer),
      'token-invalid',
      /algorithm of the token is not allowed|signature/,
    ],
    [
      'with a token signed with the public key as shared secret',
      () => signWithPublicKey(fixture.issuer),
      'token-invalid',
      /algorithm/,
    ],
  ]

  it.each(cases)('rejects a request %s', async (_name, make, code, detail) => {
    const { status, body, headers } = await fixture.call('POST /v1/token', { token: await make() })
    expect(body).toMatchObject({ code, status: 401, type: `urn:problem-type:acs-kit:${code}` })
    expect(body.detail).toMatch(detail)
    expect(status).toBe(401)
    expect(headers['content-type']).toMatch(/^application\/problem\+json\b/)
    expect(headers['www-authenticate']).toBe(code === 'token-missing' ? 'Bearer' : 'Bearer error="invalid_token"')
    expect(fixture.emulator.identities()).toHaveLength(0)
  })
})

it('accepts only the canonical encoding of a signature', async () => {
  await using fixture = await ServiceFixture.start()
  const token = await fixture.issuer.sign()
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const other = token.slice(0, -1) + digits[digits.indexOf(token.at(-1)!) + 1]
  expect(Buffer.from(other.split('.')[2]!, 'base64url')).toEqual(Buffer.from(token.split('.')[2]!, 'base64url'))
  expect((await fixture.call('GET /v1/identity', { token: other })).body.code).toBe('token-invalid')
  expect((await fixture.call('GET /v1/identity', { token })).body.code).toBe('identity-unknown')
})

it('ignores or rejects a subject in body, query or headers', async () => {
  const mine = (await fixture.call('POST /v1/token')).body.communicationUserId
  const bob = await fixture.issuer.sign({ sub: 'bob' })
  const bobs = (await fixture.call('POST /v1/token', { token: bob })).body.communicationUserId
  expect(bobs).not.toBe(mine)

  const inBody = await fixture.call('POST /v1/token', { body: { communicationUserId: bobs, sub: 'bob' } })
  expect(inBody).toMatchObject({ status: 400, body: { code: 'request-invalid' } })
  const headers = { 'x-user': 'bob', 'x-ms-client-principal-id': 'bob', 'x-communication-user-id': bobs }
  const inOthers = await fixture.call(`POST /v1/token?sub=bob&communicationUserId=${bobs}`, { headers })
  expect(inOthers.body.communicationUserId).toBe(mine)
})

it('rejects a token when it expires, although it was verified before', async () => {
  const token = await fixture.sign({ exp: seconds() + 60 })
  expect((await fixture.call('GET /v1/identity', { token })).status).toBe(200)
  clock += 66_000
  expect((await fixture.call('GET /v1/identity', { token })).body.code).toBe('token-expired')
})

it('requires the scope or role of all users, and the role of administrators', async () => {
  const issuers = [{ issuer: fixture.issuer.issuer, audience, required: 'access_as_user', admin: 'admin' }]
  const service = await fixture.addInstance({ SIGN_IN_ISSUERS: JSON.stringify(issuers) })
  const call = async (request: string, claims: Record<string, unknown>) =>
    (await fixture.call(request, { service, claims })).body.code

  expect(await call('GET /v1/identity', { scp: 'other' })).toBe('permission-missing')
  expect(await call('GET /v1/identity', { scp: 'other access_as_user' })).toBeUndefined()
  expect(await call('GET /v1/identity', { scp: undefined, scope: 'access_as_user' })).toBeUndefined()
  expect(await call('GET /v1/identity', { scp: undefined, roles: ['access_as_user'] })).toBeUndefined()
  expect(await call('GET /v1/users', {})).toBe('permission-missing')
  expect(await call('GET /v1/users', { roles: ['admin'] })).toBeUndefined()
  // Users without it are verified, and so identified in the log.
  const userKeys = fixture.lines({ audit: 'reject', code: 'permission-missing' }).map(({ userKey }) => userKey)
  expect(userKeys).toEqual([expect.stringMatching(/^[\w-]{43}$/), userKeys[0]])
})

it('identifies Entra ID users by tenant and object id', () => {
  const tid = '11111111-2222-3333-4444-555555555555'
  const issuer = { issuer: `https://login.microsoftonline.com/${tid}/v2.0`, audience, kind: 'entra' as const }
  const toUserKey = (claims: object) => toPrincipal({ tid, oid: 'o1', sub: 's1', ...claims }, issuer).userKey
  expect(toUserKey({ sub: 's2' })).toBe(toUserKey({}))
  expect(toUserKey({ oid: 'o2' })).not.toBe(toUserKey({}))
})

describe('the key set of an issuer', () => {
  it('is reloaded once for concurrent tokens with a rotated key', async () => {
    await fixture.issuer.rotate()
    const before = fixture.issuer.keyRequests
    const statuses = Array.from({ length: 20 }, async (_, index) => {
      const token = await fixture.issuer.sign({ sub: 'alice', jti: String(index) }, { now: clock })
      return (await fixture.call('GET /v1/identity', { token })).status
    })
    expect(new Set(await Promise.all(statuses))).toEqual(new Set([200]))
    expect(fixture.issuer.keyRequests - before).toBe(1)
  })

  it('leads to 503 for an unknown key while the issuer is down', async () => {
    clock += 10_000
    const token = await fixture.issuer.sign({}, { now: clock, kid: 'unknown' })
    fixture.issuer.isDown = true
    const call = async () => (await fixture.call('GET /v1/identity', { token })).body.code
    expect([await call(), await call()]).toEqual(['sign-in-unavailable', 'sign-in-unavailable'])
    fixture.issuer.isDown = false
    clock += 10_000
    expect(await call()).toBe('token-invalid')
  })

  it('is kept for 24 hours while the issuer is down', async () => {
    fixture.issuer.isDown = true
    clock += 20 * 60 * 60_000
    expect((await fixture.call('GET /v1/identity')).status).toBe(200)
    clock += 5 * 60 * 60_000
    const late = await fixture.call('GET /v1/identity')
    expect(late).toMatchObject({ status: 503, body: { code: 'sign-in-unavailable', retryAfter: 5 } })
    fixture.issuer.isDown = false
    expect((await fixture.call('GET /v1/identity')).status).toBe(200)
  })

  it('is not reloaded for each invented key id', async () => {
    const before = fixture.issuer.keyRequests
    for (let index = 0; index < 20; index++) {
      const token = await fixture.issuer.sign({}, { now: clock, kid: `invented-${index}` })
      expect((await fixture.call('GET /v1/identity', { token })).status).toBe(401)
    }
    expect(fixture.issuer.keyRequests - before).toBeLessThanOrEqual(1)
  })

  it('leads to 503 until an issuer that is down from the start is back', async () => {
    await using issuer = await SignInIssuer.start()
    issuer.isDown = true
    const issuers = [{ issuer: issuer.issuer, audience }]
    const service = await fixture.addInstance({ SIGN_IN_ISSUERS: JSON.stringify(issuers) })
    const token = await issuer.sign({}, { now: clock })
    expect((await fixture.call('GET /v1/identity', { service, token })).body.code).toBe('sign-in-unavailable')
    issuer.isDown = false
    expect((await fixture.call('GET /v1/identity', { service, token })).body.code).toBe('identity-unknown')
  })
})

it('treats equal subjects of two issuers as different users', async () => {
  await using other = await SignInIssuer.start()
  const issuers = [fixture.issuer, other].map(({ issuer }) => ({ issuer, audience }))
  const service = await fixture.addInstance({ SIGN_IN_ISSUERS: JSON.stringify(issuers) })
  const [first, second] = await Promise.all(
    [fixture.issuer, other].map(async (issuer) =>
      fixture.call('POST /v1/token', { service, token: await issuer.sign({ sub: 'twin' }, { now: clock }) }),
    ),
  )
  expect(first!.body.communicationUserId).not.toBe(second!.body.communicationUserId)
})

it.each(['x'.repeat(5000), '../..', 'a/b\\c#d?e', '', '日本', 'a\u0000b', "o'brien", '\ud800'])(
  'accepts any subject that is not empty: %j',
  async (sub) => {
    const { status, body } = await fixture.call('POST /v1/token', { claims: { sub } })
    if (sub === '') expect(body.code).toBe('token-invalid')
    else expect(status).toBe(200)
  },
)

async function forge({ issuer, publicKey }: SignInIssuer): Promise<string> {
  const { privateKey } = await generateKeyPair('RS256')
  return signWith(privateKey, issuer, { alg: 'RS256', kid: publicKey.kid! })
}

function unsigned({ issuer }: SignInIssuer): string {
  return new UnsecuredJWT({ iss: issuer, aud: audience, sub: 'alice', exp: seconds() + 600 }).encode()
}

/** Accepted by verifiers that let the token choose the algorithm. */
async function signWithPublicKey({ issuer, publicKey }: SignInIssuer): Promise<string> {
  const pem = await exportSPKI((await importJWK(publicKey, 'RS256', { extractable: true })) as CryptoKey)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ alg: 'HS256', kid: publicKey.kid })}.${part({ iss: issuer, aud: audience, sub: 'alice', exp: seconds() + 600 })}`
  return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
}

function signWith(key: CryptoKey, issuer: string, header: { alg: string; kid: string }): Promise<string> {
  return new SignJWT({ iss: issuer, aud: audience, sub: 'alice', exp: seconds() + 600 })
    .setProtectedHeader(header)
    .sign(key)
}

import { audience } from '@acs-kit/test-support/sign-in-issuer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

let fixture: ServiceFixture

beforeAll(async () => {
  fixture = await ServiceFixture.start()
})
afterAll(() => fixture[Symbol.asyncDispose]())

/** Starts a service that trusts the fixture's issuer, with the given changes to its settings. */
function trust(settings: object) {
  const issuer = { issuer: fixture.issuer.issuer, audience, jwksUri: `${fixture.issuer.issuer}/keys`, ...settings }
  return fixture.addInstance({ SIGN_IN_ISSUERS: JSON.stringify([issuer]) })
}

describe('an administrator', () => {
  it.each<[string, object, number]>([
    ['the role', { roles: ['admin'] }, 200],
    ['the role among others, as text', { roles: 'reader admin' }, 200],
    ['a scope of that name in scp', { scp: 'access_as_user admin' }, 403],
    ['a scope of that name in scope', { scope: 'admin' }, 403],
    ['a scope of that name, and another role', { scp: 'admin', roles: ['reader'] }, 403],
  ])('is identified by role only: %s', async (_name, claims, status) => {
    expect(await fixture.call('GET /v1/users', { claims: { ...claims } })).toMatchObject({ status })
  })
})

describe('the tenant of an Entra ID token', () => {
  const tenant = 'aaaaaaaa-2222-3333-4444-555555555555'
  const iss = `https://login.microsoftonline.com/${tenant}/v2.0`

  it.each(['1', 'login', '/', 'v2.0', 'login.microsoftonline.com', tenant.slice(0, -1), tenant.toUpperCase(), iss])(
    'is rejected unless it equals the whole tenant of its issuer: %s',
    async (tid) => {
      const service = await trust({ issuer: iss, kind: 'entra', required: 'access_as_user' })
      const call = async (tid: string) =>
        (await fixture.call('GET /v1/identity', { service, claims: { iss, tid, oid: 'o1' } })).body
      expect(await call(tid)).toMatchObject({
        code: 'token-invalid',
        detail: "The token's tenant (tid) is not the tenant of its issuer. Sign in at the issuer's tenant.",
      })
      expect((await call(tenant)).code).toBe('identity-unknown')
    },
  )

  it('is rejected if the URL of the issuer has none', async () => {
    const issuer = 'https://directory.example'
    const service = await trust({ issuer, kind: 'entra', required: 'access_as_user' })
    const claims = { iss: issuer, tid: 'directory.example', oid: 'o1' }
    expect((await fixture.call('GET /v1/identity', { service, claims })).body.code).toBe('token-invalid')
  })
})

describe('the type of a token', () => {
  const call = async (typ: string | undefined) => {
    const token = await fixture.issuer.sign({ sub: 'typed' }, { typ })
    return (await fixture.call('GET /v1/identity', { token })).body
  }

  it.each([undefined, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'application/jwt'])(
    'is accepted if it is %s',
    async (typ) => expect((await call(typ)).code).toBe('identity-unknown'),
  )

  it.each(['logout+jwt', 'application/logout+jwt', 'dpop+jwt', 'secevent+jwt', 'JWE', 'application/at+jwt; x', ''])(
    'is rejected if it is "%s"',
    async (typ) =>
      expect(await call(typ)).toMatchObject({ code: 'token-invalid', detail: expect.stringContaining('(typ)') }),
  )
})

describe('a trusted issuer', () => {
  it.each(['http://adfs.example.com/adfs/services/trust', 'adfs'])(
    'is accepted with any name if its keys are at jwksUri: %s',
    async (issuer) => {
      const service = await trust({ issuer })
      const getStatus = async (iss: string) =>
        (await fixture.call('POST /v1/token', { service, claims: { iss, sub: 'federated' } })).status
      expect(await getStatus(issuer)).toBe(200)
      expect(await getStatus(`${issuer}/`)).toBe(401)
    },
  )

  it('is accepted with several audiences', async () => {
    const service = await trust({ audience: ['api://one', 'two'] })
    const call = async (aud: unknown) => (await fixture.call('GET /v1/identity', { service, claims: { aud } })).body
    for (const aud of ['api://one', 'two', ['other', 'two']]) expect((await call(aud)).code).toBe('identity-unknown')
    for (const aud of ['api://one two', 'tw', ['other'], audience]) {
      expect(await call(aud)).toMatchObject({
        code: 'token-invalid',
        detail: 'The token is not for the audience (aud) api://one or two. Request one for this service.',
      })
    }
  })

  it('is shown next to an untrusted issuer, in the response and in the log', async () => {
    const service = await trust({ issuer: 'adfs' })
    const call = async (iss: string | undefined) =>
      (await fixture.call('GET /v1/identity', { service, claims: { iss } })).body
    const body = await call('https://user:secret@sts.example/tenant?key=secret')
    expect(body).toMatchObject({
      code: 'token-invalid',
      detail: 'Untrusted token issuer (iss): https://sts.example/tenant. Trusted issuers: adfs.',
    })
    expect(fixture.lines({ reqId: body.requestId })).toEqual([
      expect.objectContaining({ tokenIssuer: 'https://sts.example/tenant', trustedIssuers: ['adfs'] }),
    ])
    const { detail } = await call('https:\\user:secret@sts.example/tenant')
    expect(detail).toContain('(iss): https://sts.example/tenant.')
    expect((await call(undefined)).detail).toMatch(/missing/)
  })
})

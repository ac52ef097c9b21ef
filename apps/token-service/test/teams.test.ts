import { wellKnownPublicClientId } from '@acs-kit/communication-emulator'
import { decodeJwt, UnsecuredJWT, type JWTPayload } from 'jose'
import { expect, it } from 'vitest'
import { sdk, ServiceFixture } from './service-fixture.ts'

const teams = 'https://auth.msft.communication.azure.com'
const teamsId = '1fd5118e-2576-4263-8130-9503064c837a'
const clients = 'https://communication.azure.com/clients'
const clientsId = '2a04943b-b6a7-4f65-8786-2bb6131b59f6'
const scp = 'Teams.ManageChats'
const otherId = '00000000-0000-0000-0000-000000000000'
const inPage = /the page exchanges it without this service: see "Pages without the token service" in the README/
/** A token that fails the service's own check, which does not need a signature. */
const unsigned = (claims: JWTPayload) => new UnsecuredJWT(claims).setAudience(teams).encode()

/** Starts a service whose users sign in at the emulator. */
async function startFixture(now?: () => number) {
  const fixture = await ServiceFixture.start({ ...(now && { now }) })
  const { entra } = fixture.emulator
  const service = await fixture.addInstance({
    SIGN_IN_ISSUERS: JSON.stringify([
      { issuer: entra.issuer, audience: 'api://acs-kit', kind: 'entra', required: 'access_as_user' },
    ]),
    TEAMS_CLIENT_ID: wellKnownPublicClientId,
  })
  const signIn = async (options: object = {}) => (await entra.signIn({ user: 'alice', ...options })).accessToken
  const exchange = async (token: string, user = 'alice') =>
    fixture.call('POST /v1/teams/token', { service, token: await signIn({ user }), body: { token } })
  const teamsToken = (options: object = {}) => signIn({ audience: teams, scopes: ['Teams.ManageCalls'], ...options })
  return { fixture, service, exchange, signIn, teamsToken, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() }
}

it.runIf(sdk === 'identity')("exchanges a Teams user's token", async () => {
  await using parts = await startFixture()
  const entraToken = await parts.teamsToken()
  const { status, body } = await parts.exchange(entraToken)
  expect(status).toBe(200)
  expect(Date.parse(body.expiresOn)).toBe(decodeJwt(entraToken).exp! * 1000)
  expect(parts.fixture.emulator.introspect(body.token)).toMatchObject({ state: 'valid' })
  expect(parts.fixture.lines({ audit: 'exchange' })).toHaveLength(1)
})

it.runIf(sdk === 'identity')('rejects an invalid Teams token with the reason, before it reaches Azure', async () => {
  let offset = 0
  await using parts = await startFixture(() => Date.now() + offset)
  const { exchange, teamsToken, signIn } = parts
  const cases: [string, RegExp][] = [
    ['x', /not a JWT/],
    [await signIn(), /audience \(aud\) of the token must be https:\/\/auth\.msft/],
    [await teamsToken({ clientId: otherId }), /\(appid or azp\) of the token must be acac0000/],
    [unsigned({ appid: otherId, scp }), /\(appid or azp\) of the token must be acac0000/],
    [unsigned({ azp: otherId, scp }), /\(appid or azp\) of the token must be acac0000/],
    [await teamsToken({ scopes: ['Calls.Read'] }), /Teams\.ManageCalls or Teams\.ManageChats\.$/],
    [await teamsToken({ audience: clients }), inPage],
    [await teamsToken({ audience: clientsId }), inPage],
    [await teamsToken({ clientId: otherId, scopes: ['TeamsExtension.ManageCalls'] }), inPage],
    [await teamsToken({ user: 'bob' }), /another user: oid and tid/],
  ]
  const getExchanges = () => parts.fixture.emulator.requests.list().filter(({ path }) => path.includes('teamsUser'))
  for (const [token, detail] of cases) {
    const { status, body } = await exchange(token)
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'teams-token-invalid', detail: expect.stringMatching(detail) })
  }
  const short = await teamsToken({ lifetimeMinutes: 10 })
  offset = 11 * 60_000
  expect((await exchange(short)).body.detail).toMatch(/expired/)
  expect(getExchanges()).toHaveLength(0)
})

it.runIf(sdk === 'identity').each([
  ['a URL as audience', { aud: teams, appid: wellKnownPublicClientId }],
  ['a URL with a trailing slash as audience', { aud: `${teams}/`, azp: wellKnownPublicClientId }],
  ['an application as audience', { aud: teamsId, azp: wellKnownPublicClientId }],
])('accepts the claims of a Teams token with %s', async (_name, claims) => {
  await using parts = await startFixture()
  const { sub: _, aud: _aud, appid: _appid, azp: _azp, ...user } = decodeJwt(await parts.teamsToken())
  const { body } = await parts.exchange(new UnsecuredJWT({ ...user, ...claims }).encode())
  // Azure, which verifies the signature, rejects it.
  expect(body.detail).toMatch(/^Azure Communication Services: the service rejected the Teams user's token/)
})

it.runIf(sdk === 'identity')('keeps the access key when Azure rejects a Teams token', async () => {
  await using parts = await startFixture()
  const token = await parts.teamsToken()
  const forged = `${token.slice(0, -8)}AAAAAAAA`
  const { status, body } = await parts.exchange(forged)
  expect(status).toBe(400)
  expect(body).toMatchObject({ code: 'teams-token-invalid', detail: expect.stringContaining('rejected') })
  expect((await parts.exchange(token)).status).toBe(200)
})

it('responds with 501 without TEAMS_CLIENT_ID, and with the administration SDK', async () => {
  await using parts = await startFixture()
  const { fixture, service } = parts
  const token = await fixture.issuer.sign()
  expect(await fixture.call('POST /v1/teams/token', { token, body: { token } })).toMatchObject({
    status: 501,
    body: { code: 'teams-unavailable', detail: expect.stringContaining('TEAMS_CLIENT_ID') },
  })
  if (sdk === 'identity') return
  const response = await parts.exchange(await parts.teamsToken())
  expect(response).toMatchObject({ status: 501, body: { code: 'driver-unsupported' } })
  expect(service).toBeDefined()
})

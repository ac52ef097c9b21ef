import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { clientsUri, kinds, teamsUri, useAssignedUsers, type Kind, type SignIn } from './assigned-users.ts'
import { useEmulator } from './emulator-fixture.ts'
import { exchange } from './signed-request.ts'

const fixture = useEmulator({ resources: [{ name: 'contoso' }] })
const strict = useEmulator({ strict: true })
const { assign, unassign, exchangeToken } = useAssignedUsers(fixture)
const teamsId = '1fd5118e-2576-4263-8130-9503064c837a'
const clientsId = '2a04943b-b6a7-4f65-8786-2bb6131b59f6'

describe.each<Kind>(['extension', 'entra'])('the exchange of kind %s', (kind) => {
  it('expires with the Entra ID token', async () => {
    await assign(kind)
    const { status, json, entraToken } = await exchangeToken(kind, { lifetimeMinutes: 73 })
    expect(status).toBe(200)
    expect(Object.keys(json)).toEqual(['identity', 'accessToken'])
    expect(decodeJwt(json.accessToken.token).exp).toBe(decodeJwt(entraToken).exp)
    expect(Date.parse(json.accessToken.expiresOn)).toBe(decodeJwt(entraToken).exp! * 1000)
    expect(json.accessToken.expiresOn).toMatch(/\.0000000\+00:00$/)
    expect(decodeJwt(json.accessToken.token)).not.toHaveProperty('tid')
  })

  it('accepts the URI and the id of the application as the audience', async () => {
    await assign(kind)
    const [uri, id] = kind === 'entra' ? [clientsUri, clientsId] : [teamsUri, teamsId]
    for (const audience of [uri, `${uri}/`, id]) expect((await exchangeToken(kind, { audience })).status).toBe(200)
  })

  it('gives a user one identity, whose tokens are listed', async () => {
    await assign(kind)
    const [first, second] = [await exchangeToken(kind), await exchangeToken(kind, { lifetimeMinutes: 30 })]
    const { id } = first.json.identity
    expect(second.json.identity.id).toBe(id)
    expect(fixture.emulator.identities()).toMatchObject([{ communicationUserId: id, resource: 'default' }])
    expect(fixture.emulator.identities({ after: id })).toEqual([])
    const tokens = await fixture.emulator.tokens({ communicationUserId: id, reveal: true })
    const texts = [first, second].map(({ json }) => json.accessToken.token as string)
    expect(new Set(tokens.map(({ token }) => token))).toEqual(new Set(texts))
    const response = await fixture.call({ target: `/identities/${id}/:revokeAccessTokens?api-version=2023-10-01` })
    expect(response.status).toBe(404)
  })

  it('rejects a user without an assignment, and an application that the assignment does not list', async () => {
    expect(await exchangeToken(kind)).toMatchObject({
      status: 403,
      json: { error: { code: 'Forbidden', innererror: { code: 'AssignmentMissing' } } },
    })
    await assign(kind, { clientIds: [] })
    expect((await exchangeToken(kind)).json.error.innererror.code).toBe('ClientNotAssigned')
    await assign(kind)
    expect((await exchangeToken(kind, { user: 'bob' })).status).toBe(403)
    const clientId = 'eeeeeeee-0000-4000-8000-00000000000e'
    expect((await exchangeToken(kind, { clientId })).json.error.innererror).toMatchObject({
      code: 'ClientNotAssigned',
      message: expect.stringContaining(clientId),
    })
    expect((await exchangeToken(kind)).status).toBe(200)
    await assign(kind, { principalType: kind === 'entra' ? 'group' : 'resourceAccount' })
    expect((await exchangeToken(kind)).json.error.innererror.code).toBe('AssignmentType')
  })

  it('rejects a user who is assigned to another resource', async () => {
    await assign(kind)
    const { version } = kinds[kind]
    expect((await exchangeToken(kind, {}, version, fixture.emulator.resources[1]!.endpoint)).status).toBe(403)
  })

  it('rejects invalid tokens with the reason', async () => {
    await assign(kind)
    const cases: [SignIn, string][] = [
      [{ audience: 'api://acs-kit' }, 'TokenAudience'],
      [{ audience: kind === 'entra' ? teamsUri : clientsUri }, 'TokenAudience'],
      [{ scopes: ['Teams.ManageCalls'] }, 'TokenScopes'],
      [{ lifetimeMinutes: -1 }, 'TokenExpired'],
    ]
    for (const [options, code] of cases) {
      expect(await exchangeToken(kind, options)).toMatchObject({
        status: 401,
        json: { error: { code: 'InvalidAccessToken', innererror: { code } } },
      })
    }
    const target = `${kinds[kind].path}/:exchangeAccessToken?api-version=${kinds[kind].version}`
    expect(await fixture.call({ target, body: {} })).toMatchObject({
      status: 401,
      json: { error: { code: 'InvalidAccessToken', innererror: { code: 'TokenMissing' } } },
    })
  })

  it('revokes the tokens of a user whose assignment is deleted or changed, and no others', async () => {
    for (const user of ['alice', 'bob', 'carol']) await assign(kind, {}, user)
    const [alice, bob, carol] = await Promise.all(
      ['alice', 'bob', 'carol'].map(
        async (user) => (await exchangeToken(kind, { user })).json.accessToken.token as string,
      ),
    )
    await unassign(kind, 'alice')
    await assign(kind, { principalType: kind === 'entra' ? 'group' : 'resourceAccount' }, 'bob')
    const states = [alice, bob, carol].map((token) => fixture.emulator.introspect(token!).state)
    expect(states).toEqual(['revoked', 'revoked', 'valid'])
    await assign(kind, {}, 'alice')
    const again = (await exchangeToken(kind)).json.accessToken.token as string
    expect([alice, again].map((token) => fixture.emulator.introspect(token!).state)).toEqual(['revoked', 'valid'])
  })

  it('is not affected by the assignments of others, even if those change while the clock is ahead', async () => {
    await assign(kind)
    await exchangeToken(kind)
    await unassign(kind)
    fixture.emulator.clock.advance(60 * 60_000)
    await assign(kind, {}, 'bob')
    fixture.emulator.clock.advance(-60 * 60_000)
    await assign(kind)
    const { token } = (await exchangeToken(kind)).json.accessToken
    expect(fixture.emulator.introspect(token as string).state).toBe('valid')
  })

  it('follows quotas and faults', async () => {
    await assign(kind)
    const operation = kind === 'entra' ? 'exchangeEntraAccessToken' : 'exchangeTeamsExtensionAccessToken'
    fixture.emulator.quotas.set({ [operation]: 1 })
    fixture.emulator.faults.add({ operation, status: 503, count: 1 })
    const statuses = []
    for (let count = 0; count < 3; count++) statuses.push((await exchangeToken(kind)).status)
    fixture.emulator.quotas.set(false)
    expect(statuses).toEqual([503, 200, 429])
  })
})

it('lets a tenant assignment cover every user of the tenant, until it is removed', async () => {
  await assign('entra', { principalType: 'tenant' }, 'tenant')
  const exchangeFor = async (user: string) => (await exchangeToken('entra', { user })).json.accessToken.token as string
  const tokens = [await exchangeFor('bob'), await exchangeFor('carol')]
  const { endpoint } = fixture.emulator.resources[1]!
  expect((await exchangeToken('entra', {}, kinds.entra.version, endpoint)).status).toBe(403)
  const getStates = () => tokens.map((token) => fixture.emulator.introspect(token).state)
  await assign('entra', {}, 'bob')
  await unassign('entra', 'tenant')
  expect(getStates()).toEqual(['valid', 'revoked'])
  await unassign('entra', 'bob')
  expect(getStates()).toEqual(['revoked', 'revoked'])
})

it('ignores assignments of another tenant', async () => {
  await assign('entra', { principalType: 'tenant', tenantId: 'bbbbbbbb-0000-4000-8000-00000000000b' }, 'tenant')
  await assign('entra', { tenantId: 'bbbbbbbb-0000-4000-8000-00000000000b' })
  expect((await exchangeToken('entra')).json.error.innererror.code).toBe('AssignmentMissing')
})

it('revokes the tokens of every user whom a PATCH removes', async () => {
  const oids = [await assign('entra', {}, 'alice'), await assign('entra', {}, 'bob')]
  const tokens = [await exchangeToken('entra', { user: 'alice' }), await exchangeToken('entra', { user: 'bob' })]
  const target = '/access/entra/assignments?api-version=2025-03-02-preview'
  await fixture.call({ method: 'PATCH', target, body: Object.fromEntries(oids.map((oid) => [oid, null])) })
  for (const { json } of tokens) {
    expect(fixture.emulator.introspect(json.accessToken.token as string).state).toBe('revoked')
  }
})

it('accepts additional members of the body since 2026-09-23, even when strict', async () => {
  const { accessToken } = await strict.emulator.entra.signIn({ user: 'alice', audience: teamsUri })
  const exchangeIn = (version: string) =>
    exchange(strict.emulator.endpoint, {
      method: 'POST',
      target: `/access/teamsExtension/:exchangeAccessToken?api-version=${version}`,
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      payload: '{"extra":1}',
    })
  expect(await exchangeIn('2026-07-22')).toMatchObject({ status: 400, json: { error: { target: 'Extra' } } })
  expect((await exchangeIn('2026-09-23')).json.error.innererror.code).toBe('AssignmentMissing')
})

it.each(['2025-03-02-preview', '2025-06-30', '2026-07-22', '2026-09-23'])(
  'exchanges tokens of the Teams extension in %s',
  async (version) => {
    await assign('extension')
    expect((await exchangeToken('extension', {}, version)).status).toBe(200)
  },
)

it.each(['2025-06-30', '2026-09-23'])('does not exchange tokens of other Entra ID users in %s', async (version) => {
  await assign('entra')
  expect((await exchangeToken('entra', {}, version)).json.error.code).toBe('UnsupportedApiVersion')
})

it('keeps tokens of the Teams extension when the assignment of the other kind is deleted', async () => {
  await assign('extension')
  await assign('entra')
  const { token } = (await exchangeToken('extension')).json.accessToken
  await unassign('entra')
  expect(fixture.emulator.introspect(token as string).state).toBe('valid')
})

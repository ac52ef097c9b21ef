import { AzureCommunicationTokenCredential, createIdentifierFromRawId } from '@azure/communication-common'
import { CommunicationIdentityClient } from '@azure/communication-identity'
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { wellKnownPublicClientId, wellKnownTenantId } from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'
import { exchange } from './signed-request.ts'

const fixture = useEmulator({ resources: [{ name: 'contoso' }] })
const strict = useEmulator({ strict: true })
const teamsUri = 'https://auth.msft.communication.azure.com'
const teamsId = '1fd5118e-2576-4263-8130-9503064c837a'
const clientsUri = 'https://communication.azure.com/clients'
const clientsId = '2a04943b-b6a7-4f65-8786-2bb6131b59f6'
const manageCalls = `${teamsUri}/TeamsExtension.ManageCalls`

interface SignIn {
  readonly user?: string
  readonly audience?: string
  readonly scopes?: string[]
  readonly clientId?: string
  readonly lifetimeMinutes?: number
}

/** Kinds of assignments with a request that creates one, and one that exchanges a token. */
const kinds = {
  extension: {
    audience: teamsUri,
    version: '2025-06-30',
    path: '/access/teamsExtension',
    assign: (oid: string) => `/access/teamsExtension/tenants/${wellKnownTenantId}/assignments/${oid}`,
    value: {},
  },
  entra: {
    audience: clientsUri,
    version: '2025-03-02-preview',
    path: '/access/entra',
    assign: (oid: string) => `/access/entra/assignments/${oid}`,
    value: { tenantId: wellKnownTenantId },
  },
}
type Kind = keyof typeof kinds

const signIn = (options: SignIn) => fixture.emulator.entra.signIn({ user: 'alice', ...options })

async function assign(kind: Kind, change: object = {}, user = 'alice'): Promise<string> {
  const { version, assign, value } = kinds[kind]
  const { oid } = await signIn({ user })
  const body = { principalType: 'user', clientIds: [wellKnownPublicClientId], ...value, ...change }
  const response = await fixture.call({ method: 'PUT', target: `${assign(oid)}?api-version=${version}`, body })
  expect(response.status).toBeLessThan(300)
  return oid
}

async function unassign(kind: Kind, user = 'alice'): Promise<void> {
  const { version, assign } = kinds[kind]
  const { oid } = await signIn({ user })
  await fixture.call({ method: 'DELETE', target: `${assign(oid)}?api-version=${version}` })
}

async function exchangeToken(
  kind: Kind,
  options: SignIn = {},
  version: string = kinds[kind].version,
  endpoint = fixture.emulator.endpoint,
) {
  const { accessToken } = await signIn({ audience: kinds[kind].audience, ...options })
  return exchange(endpoint, {
    method: 'POST',
    target: `${kinds[kind].path}/:exchangeAccessToken?api-version=${version}`,
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
    payload: '{}',
  })
}

/** Creates the unmodified credential; the user's tokens come from the emulated sign-in. */
function createCredential({ scopes, endpoint }: { scopes?: string[]; endpoint?: string } = {}) {
  const requested: string[][] = []
  const credential = new AzureCommunicationTokenCredential({
    resourceEndpoint: endpoint ?? fixture.emulator.endpoint.slice(0, -1),
    tokenCredential: {
      async getToken(words: string | string[]) {
        requested.push([words].flat())
        const parts = [words]
          .flat()
          .map((word) => [word.slice(0, word.lastIndexOf('/')), word.slice(word.lastIndexOf('/') + 1)])
        const permissions = parts.map(([, permission]) => permission!).filter((permission) => permission !== '.default')
        const { accessToken, expiresOn } = await signIn({
          audience: parts[0]![0]!,
          ...(permissions.length > 0 && { scopes: permissions }),
        })
        return { token: accessToken, expiresOnTimestamp: expiresOn.getTime() }
      },
    },
    ...(scopes && { scopes }),
  })
  return { credential, requested }
}

/** What the Calling SDK 2.0.0 reads from a token, to decide whether it can create a call agent. */
function toCallAgent(token: string): { kind: 'identity' | 'teamsUser'; scopes: string[]; id: string } {
  const { acsScope, resourceId, skypeid, tid } = decodeJwt<Record<string, string | undefined>>(token)
  if (typeof acsScope !== 'string') throw new Error('401/44114')
  const scopes = acsScope.split(',')
  if (!scopes.includes('voip') && !scopes.includes('voip.join')) throw new Error('401/44113')
  if (!skypeid) throw new Error('401/44116')
  if (!resourceId && !skypeid.startsWith('orgid:')) throw new Error('401')
  return { kind: tid === undefined ? 'identity' : 'teamsUser', scopes, id: `8:${skypeid}` }
}

describe('the unmodified AzureCommunicationTokenCredential', () => {
  it.each(['', '/'])('gets a token of the Teams extension, with an endpoint that ends in "%s"', async (end) => {
    const { emulator } = fixture
    const oid = await assign('extension')
    const endpoint = `${emulator.endpoint.slice(0, -1)}${end}`
    const { credential } = createCredential({ scopes: [manageCalls], endpoint })
    const { token, expiresOnTimestamp } = await credential.getToken()
    const { immutableResourceId: resource } = emulator.resources[0]!
    const communicationUserId = `8:acs:${resource}_${wellKnownTenantId}_${oid}`
    expect(emulator.introspect(token)).toMatchObject({ state: 'valid', communicationUserId, scopes: ['voip'] })
    expect(toCallAgent(token)).toEqual({ kind: 'identity', scopes: ['voip'], id: communicationUserId })
    expect(createIdentifierFromRawId(communicationUserId)).toMatchObject({
      kind: 'teamsExtensionUser',
      userId: oid,
      tenantId: wellKnownTenantId,
      resourceId: resource,
    })
    expect(decodeJwt(token).exp! * 1000).toBe(expiresOnTimestamp)
    expect(emulator.requests.list().at(-1)).toMatchObject({
      path: `${end}/access/teamsExtension/:exchangeAccessToken`,
      operation: 'exchangeTeamsExtensionAccessToken',
      communicationUserId,
      status: 200,
    })
  })

  it('gets a token of an Entra ID user without scopes, with all scopes of the application', async () => {
    const oid = await assign('entra')
    const { credential, requested } = createCredential()
    const { token } = await credential.getToken()
    expect(new Set(requested.flat())).toEqual(new Set([`${clientsUri}/.default`]))
    const { immutableResourceId: resource } = fixture.emulator.resources[0]!
    const communicationUserId = `8:acs:${resource}_wf_${wellKnownTenantId}_${oid}`
    expect(fixture.emulator.introspect(token)).toMatchObject({
      state: 'valid',
      communicationUserId,
      scopes: ['chat', 'chat.join', 'chat.join.limited', 'voip', 'voip.join'],
    })
    expect(toCallAgent(token)).toMatchObject({ kind: 'identity', id: communicationUserId })
    expect(createIdentifierFromRawId(communicationUserId)).toMatchObject({ kind: 'communicationUser' })
  })

  it.each([
    [['VoIP'], ['voip']],
    [
      ['Chat', 'VoIP.Join'],
      ['chat', 'voip.join'],
    ],
    [['Chat.Join.Limited'], ['chat.join.limited']],
  ])('maps the permissions %j to scopes', async (permissions, scopes) => {
    await assign('entra')
    const { credential } = createCredential({ scopes: permissions.map((name) => `${clientsUri}/${name}`) })
    const { token } = await credential.getToken()
    expect(fixture.emulator.introspect(token).scopes).toEqual(scopes)
  })

  it('exchanges again when the token has expired', async () => {
    await assign('extension')
    const { credential } = createCredential({ scopes: [manageCalls] })
    const first = (await credential.getToken()).token
    await unassign('extension')
    fixture.emulator.clock.advance(60 * 60_000)
    await expect(credential.getToken()).rejects.toThrow(/Status: 403/)
    await assign('extension')
    const second = (await credential.getToken()).token
    expect([first, second].map((token) => fixture.emulator.introspect(token).state)).toEqual(['revoked', 'valid'])
  })
})

describe.each<Kind>(['extension', 'entra'])('the exchange of kind %s', (kind) => {
  it('expires with the Entra ID token', async () => {
    await assign(kind)
    const { expiresOn } = await signIn({ audience: kinds[kind].audience, lifetimeMinutes: 73 })
    const { status, json } = await exchangeToken(kind, { lifetimeMinutes: 73 })
    expect(status).toBe(200)
    expect(Object.keys(json)).toEqual(['identity', 'accessToken'])
    expect(Math.abs(Date.parse(json.accessToken.expiresOn) - expiresOn.getTime())).toBeLessThan(5000)
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

  it('rejects a user without an assignment, and an application that it does not list', async () => {
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

it('issues tokens that the Calling SDK takes for the right kind of user', async () => {
  const client = new CommunicationIdentityClient(fixture.emulator.connectionString)
  const { token } = await client.createUserAndToken(['chat', 'voip'])
  expect(toCallAgent(token)).toMatchObject({ kind: 'identity', scopes: ['chat', 'voip'] })
  const { accessToken, oid } = await signIn({ audience: teamsUri })
  const teamsUser = { teamsUserAadToken: accessToken, clientId: wellKnownPublicClientId, userObjectId: oid }
  const exchanged = await client.getTokenForTeamsUser(teamsUser)
  expect(toCallAgent(exchanged.token)).toMatchObject({ kind: 'teamsUser', id: `8:orgid:${oid}` })
  expect(() => toCallAgent(accessToken)).toThrow('44114')
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

it.each(['2025-06-30', '2026-09-23'])('exchanges no tokens of other Entra ID users in %s', async (version) => {
  await assign('entra')
  expect((await exchangeToken('entra', {}, version)).json.error.code).toBe('UnsupportedApiVersion')
})

it('revokes no token of the Teams extension with the assignment of the other kind', async () => {
  await assign('extension')
  await assign('entra')
  const { token } = (await exchangeToken('extension')).json.accessToken
  await unassign('entra')
  expect(fixture.emulator.introspect(token as string).state).toBe('valid')
})

import { AzureCommunicationTokenCredential, createIdentifierFromRawId } from '@azure/communication-common'
import { CommunicationIdentityClient } from '@azure/communication-identity'
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { wellKnownPublicClientId, wellKnownTenantId } from '../src/index.ts'
import { clientsUri, teamsUri, useAssignedUsers } from './assigned-users.ts'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()
const { signIn, assign, unassign } = useAssignedUsers(fixture)
const manageCalls = `${teamsUri}/TeamsExtension.ManageCalls`

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

/** Reads a token as the Calling SDK 2.0.0 does before it creates a call agent. Throws the SDK's error codes. */
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

it('issues tokens in which the Calling SDK recognizes the kind of user', async () => {
  const client = new CommunicationIdentityClient(fixture.emulator.connectionString)
  const { token } = await client.createUserAndToken(['chat', 'voip'])
  expect(toCallAgent(token)).toMatchObject({ kind: 'identity', scopes: ['chat', 'voip'] })
  const { accessToken, oid } = await signIn({ audience: teamsUri })
  const teamsUser = { teamsUserAadToken: accessToken, clientId: wellKnownPublicClientId, userObjectId: oid }
  const exchanged = await client.getTokenForTeamsUser(teamsUser)
  expect(toCallAgent(exchanged.token)).toMatchObject({ kind: 'teamsUser', id: `8:orgid:${oid}` })
  expect(() => toCallAgent(accessToken)).toThrow('44114')
})

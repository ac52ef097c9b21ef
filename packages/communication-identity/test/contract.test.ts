import { randomUUID } from 'node:crypto'
import { startEmulator } from '@acs-kit/communication-emulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createCommunicationIdentities,
  scopes,
  type CommunicationIdentities,
  type CommunicationIdentityError,
  type FailureCode,
  type SdkName,
} from '../src/index.ts'

// One contract for both drivers and for every service: the emulator, and a live resource if the environment names one.
const live = process.env['COMMUNICATION_LIVE_CONNECTION_STRING']
const services = [['the emulator', undefined], ...(live ? [['a live resource', live] as const] : [])] as const
const sdks: SdkName[] = ['administration', 'identity']

const idForm = /^8:acs:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const foreignId = '8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000'

function failure(code: FailureCode, message = /./): Partial<CommunicationIdentityError> {
  return expect.objectContaining({ name: 'CommunicationIdentityError', code, message: expect.stringMatching(message) })
}

describe.each(services)('against %s', (_service, connectionString) => {
  describe.each(sdks)('the %s driver', (sdk) => {
    let emulator: Awaited<ReturnType<typeof startEmulator>> | undefined
    let identities: CommunicationIdentities
    const created: string[] = []

    beforeAll(async () => {
      emulator = connectionString === undefined ? await startEmulator() : undefined
      const target = { connectionString: connectionString ?? emulator!.connectionString }
      identities = await createCommunicationIdentities(target, { sdk })
    })
    afterAll(async () => {
      await Promise.allSettled(created.map((id) => identities.delete(id)))
      await emulator?.[Symbol.asyncDispose]()
    })
    const create = async () => {
      const id = await identities.create()
      created.push(id)
      return id
    }

    it('creates distinct identities', async () => {
      const [one, other] = [await create(), await create()]
      expect(one).toMatch(idForm)
      expect(other).toMatch(idForm)
      expect(other).not.toBe(one)
    })

    it('issues tokens that expire after a day', async () => {
      const { token, expiresOn } = await identities.issueToken(await create(), ['chat', 'voip'])
      const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { acsScope: string }
      expect(new Set(claims.acsScope.split(','))).toEqual(new Set(['chat', 'voip']))
      expect(Math.abs(expiresOn.getTime() - Date.now() - 24 * 60 * 60_000)).toBeLessThan(72 * 60_000)
    })

    it('revokes all tokens of one identity, and issues new ones afterwards', async () => {
      const [id, neighbour] = [await create(), await create()]
      const { token: voip } = await identities.issueToken(id, ['voip'])
      const { token: chat } = await identities.issueToken(id, ['chat'])
      const { token: neighbours } = await identities.issueToken(neighbour, ['chat'])
      expect(chat).not.toBe(voip)
      await identities.revokeTokens(id)
      const { token: next } = await identities.issueToken(id, ['chat'])
      if (emulator) {
        const states = [voip, chat, next, neighbours].map((token) => emulator!.introspect(token).state)
        expect(states).toEqual(['revoked', 'revoked', 'valid', 'valid'])
      }
    })

    it('deletes an identity, which is then unknown', async () => {
      const id = await identities.create()
      const { token } = await identities.issueToken(id, ['chat'])
      await identities.delete(id)
      if (emulator) expect(emulator.introspect(token).state).toBe('deleted')
      await expect(identities.issueToken(id, ['chat'])).rejects.toEqual(
        failure('identity-unknown', /does not exist \(404/),
      )
      await expect(identities.revokeTokens(id)).rejects.toEqual(failure('identity-unknown'))
    })

    it('rejects an identity of another resource', async () => {
      const rejection = failure('identity-not-owned', /belongs to another resource \(401/)
      await expect(identities.issueToken(foreignId, ['chat'])).rejects.toEqual(rejection)
      await expect(identities.revokeTokens(foreignId)).rejects.toEqual(rejection)
      await expect(identities.delete(foreignId)).rejects.toEqual(rejection)
    })

    it('rejects a wrong access key', async () => {
      const accessKey = Buffer.alloc(64).toString('base64')
      const others = await createCommunicationIdentities(
        { connectionString: `endpoint=${identities.endpoint};accesskey=${accessKey}` },
        { sdk },
      )
      await expect(others.create()).rejects.toEqual(failure('credentials-rejected'))
      const principal = { tenantId: randomUUID(), objectId: randomUUID() }
      await expect(others.deleteTeamsAssignment(principal)).rejects.toEqual(failure('credentials-rejected'))
    })

    it("reports the service's rejection of an invalid request", async () => {
      const id = await create()
      await expect(identities.issueToken(id, [])).rejects.toEqual(
        failure('invalid-request', /^the service rejected the request \(400/),
      )
    })

    it.runIf(sdk === 'identity')('creates an identity with a token, and sets lifetimes and join scopes', async () => {
      const withToken = await identities.createWithToken(['voip.join'], { expiresInMinutes: 60 })
      created.push(withToken.communicationUserId)
      expect(Math.abs(withToken.expiresOn.getTime() - Date.now() - 60 * 60_000)).toBeLessThan(3 * 60_000)
      const issued = await identities.issueToken(withToken.communicationUserId, ['chat'], { expiresInMinutes: 1440 })
      expect(issued.expiresOn.getTime()).toBeGreaterThan(withToken.expiresOn.getTime())
      await expect(identities.createWithToken(['chat'], { expiresInMinutes: 59 })).rejects.toEqual(
        failure('invalid-request', /^the service rejected the request \(400/),
      )
    })

    it.runIf(sdk === 'identity')('issues a token with every scope', async () => {
      const { token } = await identities.issueToken(await create(), scopes)
      const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { acsScope: string }
      expect(new Set(claims.acsScope.split(','))).toEqual(new Set(scopes))
    })

    // A live resource would need a principal of its tenant.
    it.runIf(connectionString === undefined)('creates, replaces, returns and deletes a Teams assignment', async () => {
      const principal = { tenantId: randomUUID(), objectId: randomUUID() }
      const user = { principalType: 'user', clientIds: [randomUUID(), randomUUID()] } as const
      const resourceAccount = { principalType: 'resourceAccount', clientIds: [] } as const
      expect(await identities.getTeamsAssignment(principal)).toBeUndefined()
      for (const assignment of [user, resourceAccount]) {
        expect(await identities.putTeamsAssignment(principal, assignment)).toEqual(assignment)
        expect(await identities.getTeamsAssignment(principal)).toEqual(assignment)
      }
      await identities.deleteTeamsAssignment(principal)
      await identities.deleteTeamsAssignment(principal)
      expect(await identities.getTeamsAssignment(principal)).toBeUndefined()
    })

    it.runIf(sdk === 'administration')('names the SDK that supports what it does not', async () => {
      const id = await create()
      const rejection = failure('unsupported-by-driver', /ACS_SDK=identity/)
      const teamsToken = { entraToken: 'x', clientId: 'x', userObjectId: 'x' }
      await expect(identities.createWithToken(['chat'])).rejects.toEqual(rejection)
      await expect(identities.issueToken(id, ['chat'], { expiresInMinutes: 60 })).rejects.toEqual(rejection)
      await expect(identities.issueToken(id, ['voip.join'])).rejects.toEqual(rejection)
      await expect(identities.exchangeTeamsToken(teamsToken)).rejects.toEqual(rejection)
    })

    // The emulator did not sign this token. Its rejection for the signature shows that the driver sent it.
    it.runIf(connectionString === undefined)('sends the token of an Entra ID credential', async () => {
      const requested: unknown[] = []
      const credential = {
        getToken: async (scopes: string | string[]) => {
          requested.push(scopes)
          return { token: 'entra-token', expiresOnTimestamp: Date.now() + 3_600_000 }
        },
      }
      const keyless = await createCommunicationIdentities({ endpoint: identities.endpoint, credential }, { sdk })
      const principal = { tenantId: randomUUID(), objectId: randomUUID() }
      for (const call of [() => keyless.create(), () => keyless.getTeamsAssignment(principal)]) {
        await expect(call()).rejects.toEqual(failure('credentials-rejected'))
        expect([requested.pop()].flat()).toEqual(['https://communication.azure.com//.default'])
        expect(emulator!.requests.list().at(-1)!.explanation).toMatchObject({ code: 'TokenSignature' })
      }
    })
  })
})

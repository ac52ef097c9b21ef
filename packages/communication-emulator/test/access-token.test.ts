import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()
const decode = (part: string | undefined) =>
  JSON.parse(Buffer.from(part!, 'base64url').toString()) as Record<string, unknown>

const revoke = (id: string) => fixture.call({ target: `/identities/${id}/:revokeAccessTokens?api-version=2023-10-01` })
const getState = (token: string) => fixture.emulator.introspect(token).state

it('issues a token with the header, the claims and the claim order of the service', async () => {
  const id = await fixture.createIdentity()
  const token = await fixture.issueToken(id, ['chat', 'voip'])
  const [header, payload, signature] = token.split('.')
  expect(Object.keys(decode(header))).toEqual(['alg', 'kid', 'x5t', 'typ'])
  const { alg, kid, x5t, typ } = decode(header) as Record<string, string>
  expect({ alg, typ }).toEqual({ alg: 'RS256', typ: 'JWT' })
  expect(kid).toMatch(/^[0-9A-F]{40}$/)
  expect(Buffer.from(x5t!, 'base64url').toString('hex').toUpperCase()).toBe(kid)
  expect(signature).toHaveLength(342)

  const claims = decode(payload)
  expect(Object.keys(claims)).toEqual([
    'skypeid',
    'scp',
    'csi',
    'exp',
    'rgn',
    'acsScope',
    'resourceId',
    'resourceLocation',
    'iat',
  ])
  expect(claims).toMatchObject({
    skypeid: id.slice(2),
    scp: 1792,
    csi: String(claims['iat']),
    acsScope: 'chat,voip',
    resourceId: fixture.emulator.resources[0]!.immutableResourceId,
    resourceLocation: 'unitedstates',
  })
  expect((claims['exp'] as number) - (claims['iat'] as number)).toBe(24 * 60 * 60)
})

it('lists each scope once, in the order of the request', async () => {
  const token = await fixture.issueToken(await fixture.createIdentity(), ['voip', 'chat', 'voip'])
  expect(decode(token.split('.')[1])['acsScope']).toBe('voip,chat')
})

it('issues several tokens that are valid at once', async () => {
  const id = await fixture.createIdentity()
  const tokens = [await fixture.issueToken(id, ['chat']), await fixture.issueToken(id, ['voip'])]
  expect(tokens.map(getState)).toEqual(['valid', 'valid'])
})

it('revokes the tokens issued before a revocation, and none issued later in the same second', async () => {
  const id = await fixture.createIdentity()
  for (let round = 0; round < 5; round++) {
    const before = await fixture.issueToken(id)
    expect(await revoke(id)).toMatchObject({ status: 204 })
    const after = await fixture.issueToken(id)
    expect(after).not.toBe(before)
    expect([getState(before), getState(after)]).toEqual(['revoked', 'valid'])
  }
})

it('expires tokens by the emulator clock', async () => {
  const token = await fixture.issueToken(await fixture.createIdentity())
  fixture.emulator.clock.advance(24 * 60 * 60_000 - 5_000)
  expect(getState(token)).toBe('valid')
  fixture.emulator.clock.advance(10_000)
  expect(getState(token)).toBe('expired')
})

it('deletes tokens with their identity', async () => {
  const id = await fixture.createIdentity()
  const token = await fixture.issueToken(id)
  await fixture.call({ method: 'DELETE', target: `/identities/${id}?api-version=2023-10-01` })
  expect(getState(token)).toBe('deleted')
})

it('revokes the tokens issued with a regenerated access key, and no others', async () => {
  const [resource] = fixture.emulator.resources
  const id = await fixture.createIdentity()
  const former = fixture.emulator.accessKey
  const [, secondary] = resource!.secondaryConnectionString.split('accesskey=')
  const byPrimary = await fixture.issueToken(id, ['chat'])
  const bySecondary = await fixture.issueToken(id, ['voip'], secondary)
  expect(fixture.emulator.introspect(byPrimary)).toMatchObject({ accessKey: 'primary' })
  expect(fixture.emulator.introspect(bySecondary)).toMatchObject({ accessKey: 'secondary' })

  const fresh = resource!.regenerateKey('primary')
  expect([getState(byPrimary), getState(bySecondary)]).toEqual(['revoked', 'valid'])
  expect(fixture.emulator.connectionString.endsWith(`accesskey=${fresh}`)).toBe(true)
  const target = '/identities?api-version=2023-10-01'
  expect(await fixture.call({ target, accessKey: former })).toMatchObject({ status: 401 })
  expect(await fixture.call({ target, accessKey: fresh })).toMatchObject({ status: 201 })
})

it('reports tokens with another or no valid signature as foreign', async () => {
  const token = await fixture.issueToken(await fixture.createIdentity())
  const [header, payload, signature] = token.split('.')
  const changed = Buffer.from(JSON.stringify({ ...decode(payload), acsScope: 'voip' })).toString('base64url')
  for (const forged of ['', 'nonsense', `${header}.${changed}.${signature}`, `${header}.${payload}.`]) {
    expect(getState(forged)).toBe('foreign')
  }
})

it('lists tokens without their text unless revealed', async () => {
  const id = await fixture.createIdentity()
  const token = await fixture.issueToken(id)
  await fixture.issueToken(await fixture.createIdentity())
  expect(await fixture.emulator.tokens()).toHaveLength(2)
  const [listed] = await fixture.emulator.tokens({ communicationUserId: id })
  expect(listed).toMatchObject({ communicationUserId: id, scopes: ['chat'], state: 'valid', resource: 'default' })
  expect(listed).not.toHaveProperty('token')
  const [revealed] = await fixture.emulator.tokens({ communicationUserId: id, reveal: true })
  expect(createHash('sha256').update(revealed!.token!).digest()).toEqual(createHash('sha256').update(token).digest())
})

import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import {
  startEmulator,
  wellKnownConnectionString,
  wellKnownPublicClientId,
  wellKnownTenantId,
  type Emulator,
} from '../src/index.ts'
import { send } from './signed-request.ts'

const version = 'api-version=2023-10-01'

function call(
  emulator: Emulator,
  target: string,
  options: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
) {
  return send(emulator.endpoint, { accessKey: emulator.accessKey, target, ...options })
}

it('keeps identities, tokens, revocations, deletions, keys and the signing key across restarts', async () => {
  const dataFolder = temporaryFolder()
  const texts: Record<string, string> = {}
  let kept: string
  let freshKey: string
  {
    await using emulator = await startEmulator({ dataFolder, resources: [{ name: 'contoso' }] })
    const create = async () => {
      const body = { createTokenWithScopes: ['chat'] }
      const { json } = await call(emulator, `/identities?${version}`, { body })
      return { id: json.identity.id as string, token: json.accessToken.token as string }
    }
    const [live, revoked, deleted] = [await create(), await create(), await create()]
    await call(emulator, `/identities/${revoked.id}/:revokeAccessTokens?${version}`)
    await call(emulator, `/identities/${deleted.id}?${version}`, { method: 'DELETE' })
    Object.assign(texts, { valid: live.token, revoked: revoked.token, deleted: deleted.token })
    kept = live.id
    freshKey = emulator.resources[1]!.regenerateKey('primary')
  }
  await using emulator = await startEmulator({ dataFolder, resources: [{ name: 'contoso' }] })
  for (const [state, token] of Object.entries(texts)) {
    expect(emulator.introspect(token)).toMatchObject({ state })
  }
  const issued = await call(emulator, `/identities/${kept}/:issueAccessToken?${version}`, {
    body: { scopes: ['voip'] },
  })
  expect(issued.status).toBe(200)
  expect(emulator.resources[1]!.accessKey).toBe(freshKey)
})

it('keeps assignments and the tokens of Entra ID users across restarts', async () => {
  const dataFolder = temporaryFolder()
  const path = `/access/teamsExtension/tenants/${wellKnownTenantId}/assignments`
  const version = 'api-version=2025-06-30'
  let token: string
  {
    await using emulator = await startEmulator({ dataFolder })
    const audience = 'https://auth.msft.communication.azure.com'
    const { accessToken, oid } = await emulator.entra.signIn({ user: 'alice', audience })
    const body = { principalType: 'user', clientIds: [wellKnownPublicClientId] }
    await call(emulator, `${path}/${oid}?${version}`, { method: 'PUT', body })
    const headers = { authorization: `Bearer ${accessToken}` }
    const target = `/access/teamsExtension/:exchangeAccessToken?${version}`
    token = (await call(emulator, target, { body: {}, headers })).json.accessToken.token as string
  }
  await using emulator = await startEmulator({ dataFolder })
  expect(emulator.introspect(token)).toMatchObject({ state: 'valid' })
  const [assignment] = emulator.assignments()
  await call(emulator, `${path}/${assignment!.objectId}?${version}`, { method: 'DELETE' })
  expect(emulator.introspect(token)).toMatchObject({ state: 'revoked' })
})

it('starts empty without a folder', async () => {
  for (let start = 0; start < 2; start++) {
    await using emulator = await startEmulator()
    expect(emulator.identities()).toEqual([])
    await call(emulator, `/identities?${version}`)
  }
})

it('rejects a folder that another emulator is using', async () => {
  const dataFolder = temporaryFolder()
  await using _first = await startEmulator({ dataFolder })
  await expect(startEmulator({ dataFolder })).rejects.toThrow(/data folder .* another emulator is using it/)
})

it('accepts an access key, and rejects one that is not base64, and an invalid resource name', async () => {
  const accessKey = Buffer.alloc(64, 1).toString('base64')
  await using emulator = await startEmulator({ accessKey })
  expect(emulator.connectionString).toBe(`endpoint=${emulator.endpoint};accesskey=${accessKey}`)
  await expect(startEmulator({ accessKey: 'not base64!' })).rejects.toThrow(/is not base64: copy it again/)
  await expect(startEmulator({ resources: [{ name: 'a b' }] })).rejects.toThrow(/resource name "a b"/)
})

it('has a constant connection string', () => {
  expect(wellKnownConnectionString).toBe(
    'endpoint=https://localhost:4380/;accesskey=YWNzLWtpdC9jb21tdW5pY2F0aW9uLWVtdWxhdG9yOiBhIHdlbGwta25vd24ga2V5LCBub3QgYSBzZWNyZXQhIQ==',
  )
})

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Emulator } from '@acs-kit/communication-emulator'
import { describe, expect, it } from 'vitest'
import { getAppSettings } from '../src/app-service.ts'
import type { LocalEngine } from '../src/pulumi/local-engine.ts'
import { useEngine } from './engine-fixture.ts'
import { runPulumi, runsEngine } from './pulumi-process.ts'

const scopePolicy = '{"default":{"scopes":["chat"],"maxExpiresInMinutes":60}}'

// Each step builds on the ones before it.
describe.runIf(runsEngine)('options of the stack, with the genuine engine and the stand-in provider', () => {
  let emulator: Emulator
  let engine: LocalEngine
  useEngine((azure) => ({ emulator, engine } = azure))

  const run = (...args: string[]) => runPulumi(engine, ...args)
  const up = (...args: string[]) => run('up', '--yes', '--skip-preview', ...args)
  const find = (type: string) =>
    emulator.resourceManager.resources().find(({ id }) => id.type.toLowerCase().endsWith(type.toLowerCase()))
  const getProperties = (type: string) => find(type)!.envelope.properties!
  const getSku = (type: string) => find(type)!.envelope['sku']
  const getSetting = (name: string) => getAppSettings(emulator)[name]
  /** Sends a request to the resource manager, as another program would. */
  const send = async (method: string, type: string, path: string, body?: object) => {
    const { accessToken } = await emulator.entra.signIn({ user: 'a', audience: 'https://management.azure.com' })
    const url = new URL(`${find(type)!.id.id}${path}?api-version=2025-05-01`, emulator.endpoint)
    const headers = { Authorization: `Bearer ${accessToken}` }
    const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    expect(response.status).toBe(200)
    return (await response.json()) as { properties: Record<string, unknown> }
  }
  const getPart = async (path: string) => (await send('GET', 'sites', path)).properties
  const scale = (capacity: number) => send('PATCH', 'serverfarms', '', { sku: { name: 'P0v3', capacity } })
  const scmPolicy = '/basicPublishingCredentialsPolicies/scm'
  /** Content of all files that the engine wrote. */
  const writtenText = () =>
    readdirSync(engine.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .join('\n')

  it('rejects every mistake at once', async () => {
    await engine.configure({
      'instances.min': '1',
      'instances.max': '4',
      zoneRedundant: 'true',
      redundancy: 'RAID',
      logRetentionDays: '0',
      'scopePolicy.default': 'chat',
      'settings.PORT': '80',
      'settings.logLevel': 'info',
    })
    const { code, stdout } = await run('preview')
    expect(code).not.toBe(0)
    for (const issue of [
      'redundancy is "RAID": expected one of LRS, ZRS, GZRS',
      'logRetentionDays is "0": expected a whole number from 1 to 365',
      'scopePolicy is invalid: ',
      'settings.PORT is set by App Service: remove it',
      'settings.logLevel is unknown: write LOG_LEVEL',
      'instances has limits, but the plan B1 has no autoscale: ',
      'instances is 4: the plan B1 has at most 3',
      'zoneRedundant is true, but the plan B1 has no zones: ',
      'zoneRedundant is true, but one instance is in one zone: ',
    ]) {
      expect(stdout).toContain(`- ${issue}`)
    }
    for (const name of ['scopePolicy', 'settings']) await run('config', 'rm', name)
  })

  it('creates a stack with every option, and hides a secret setting even without access keys', async () => {
    await engine.configure({
      keyless: 'true',
      publicNetworkAccess: 'SecuredByPerimeter',
      redundancy: 'GZRS',
      sku: 'P0v3',
      'instances.min': '2',
      'instances.max': '5',
      zoneRedundant: 'true',
      logRetentionDays: '14',
      'allowedOrigins[0]': 'https://app.example.com',
      'tags.team': 'a',
      'settings.TOKENS_PER_MINUTE': '20',
      'settings.REFERENCE_PAGE': 'true',
    })
    await run('config', 'set', 'scopePolicy', scopePolicy)
    await run('config', 'set', '--secret', '--path', 'settings.ALLOWED_HEADERS', 'X-Hush')
    const { code, stdout } = await up()
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\+ 19 created/)])
    expect(getProperties('communicationServices')['publicNetworkAccess']).toBe('SecuredByPerimeter')
    expect(getSku('storageAccounts')).toEqual({ name: 'Standard_GZRS' })
    expect(getSku('serverfarms')).toEqual({ name: 'P0v3', capacity: 2 })
    expect(getProperties('serverfarms')['zoneRedundant']).toBe(true)
    expect(getProperties('autoscaleSettings')).toMatchObject({
      targetResourceUri: find('serverfarms')!.id.id,
      profiles: [{ capacity: { minimum: '2', maximum: '5' } }],
    })
    expect(await getPart('/config/logs')).toMatchObject({
      httpLogs: { fileSystem: { enabled: true, retentionInDays: 14, retentionInMb: 100 } },
    })
    expect(await getPart(scmPolicy)).toEqual({ allow: false })
    const settings = { INSTANCES: '5', SCOPE_POLICY: scopePolicy, TOKENS_PER_MINUTE: '20', REFERENCE_PAGE: 'true' }
    for (const [name, value] of Object.entries(settings)) expect(getSetting(name), name).toBe(value)
    expect(getSetting('ALLOWED_HEADERS')).toBe('X-Hush')
    for (const text of [stdout, writtenText()]) expect(text).not.toContain('X-Hush')
  })

  it('finds nothing changed in a refresh', async () => {
    expect(await run('refresh', '--yes', '--skip-preview', '--expect-no-changes')).toMatchObject({ code: 0 })
  })

  it('finds nothing to change, and does not take the work of autoscale for a change', async () => {
    await scale(4)
    expect(await run('preview', '--refresh', '--expect-no-changes')).toMatchObject({ code: 0 })
  })

  it('keeps the number of instances of autoscale when it updates the plan', async () => {
    await engine.configure({ 'tags.team': 'b' })
    expect(await up('--refresh')).toMatchObject({ code: 0 })
    expect(find('serverfarms')!.envelope).toMatchObject({ tags: { team: 'b' }, sku: { capacity: 4 } })
  })

  it('switches from autoscale to a number of instances', async () => {
    await scale(5)
    await run('config', 'rm', 'instances')
    await run('config', 'set', 'instances', '3')
    expect((await up('--refresh')).stdout).toMatch(/- 1 deleted/)
    expect([find('autoscaleSettings'), getSku('serverfarms'), getSetting('INSTANCES')]).toEqual([
      undefined,
      { name: 'P0v3', capacity: 3 },
      '3',
    ])
  })

  it('switches from a number of instances to autoscale', async () => {
    await run('config', 'rm', 'instances')
    await engine.configure({ 'instances.min': '2', 'instances.max': '4' })
    expect((await up('--refresh')).stdout).toMatch(/\+ 1 created\n +~ 1 updated/)
    expect([getSku('serverfarms'), getSetting('INSTANCES')]).toEqual([{ name: 'P0v3', capacity: 3 }, '4'])
    expect(getProperties('autoscaleSettings')).toMatchObject({ profiles: [{ capacity: { maximum: '4' } }] })
  })

  it('updates retention, settings and zones, and disables passwords that were enabled outside Pulumi', async () => {
    await send('PUT', 'sites', scmPolicy, { properties: { allow: true } })
    await engine.configure({ logRetentionDays: '30', zoneRedundant: 'false', 'settings.TOKENS_PER_MINUTE': '30' })
    await run('config', 'rm', '--path', 'settings.REFERENCE_PAGE')
    // And nothing else.
    expect((await up('--refresh')).stdout).toMatch(/~ 4 updated\n +15 unchanged/)
    expect(await getPart(scmPolicy)).toEqual({ allow: false })
    expect(await getPart('/config/logs')).toMatchObject({ httpLogs: { fileSystem: { retentionInDays: 30 } } })
    expect(getProperties('serverfarms')['zoneRedundant']).toBe(false)
    expect([getSetting('TOKENS_PER_MINUTE'), getSetting('REFERENCE_PAGE')]).toEqual(['30', undefined])
  })

  it("shows Azure's error for a change of zones, and changes no account", async () => {
    await engine.configure({ redundancy: 'LRS' })
    const rejected = await up()
    expect(rejected.code).not.toBe(0)
    expect(rejected.stdout).toContain('Code="StorageAccountTypeConversionNotAllowed"')
    expect(getSku('storageAccounts')).toEqual({ name: 'Standard_GZRS' })
  })

  it('changes nothing after the account was migrated', async () => {
    await send('POST', 'storageAccounts', '/startAccountMigration', { properties: { targetSkuName: 'Standard_LRS' } })
    const { code, stdout } = await up('--refresh')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/Resources:\n +\d+ unchanged/)])
  })

  it('destroys everything without enabling passwords first', async () => {
    emulator.requests.clear()
    expect(await run('destroy', '--yes', '--skip-preview')).toMatchObject({ code: 0 })
    expect(emulator.requests.list().filter(({ method }) => method === 'PUT')).toEqual([])
    expect(emulator.resourceManager.resources()).toEqual([])
  })
})

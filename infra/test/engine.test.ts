import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  startEmulator,
  wellKnownClientSecret,
  wellKnownConfidentialClientId,
  wellKnownTenantId,
  type Emulator,
} from '@acs-kit/communication-emulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalEngine } from '../local/local-engine.ts'
import { findPulumi } from '../local/pulumi-cli.ts'
import { startStandInProvider } from '../local/stand-in-provider.ts'

const cli = await findPulumi()
if (!cli) process.stdout.write('NOT RUN: engine tests, no Pulumi CLI (pnpm pulumi:cli)\n')
// Where it is asked for, it has to be there.
const isNeeded = process.env['COMMUNICATION_TEST_PULUMI'] === 'required'

// The steps build on each other, as those of a stack's life do.
describe.runIf(cli !== undefined || isNeeded)('the genuine engine, with the stand-in provider,', () => {
  const open = new AsyncDisposableStack()
  let emulator: Emulator
  let engine: LocalEngine

  beforeAll(async () => {
    emulator = open.use(await startEmulator())
    engine = open.use(
      await LocalEngine.start(
        cli!,
        await startStandInProvider({
          metadataHost: emulator.endpoint.slice(0, -1),
          tenantId: wellKnownTenantId,
          clientId: wellKnownConfidentialClientId,
          clientSecret: wellKnownClientSecret,
          subscriptionId: '11111111-2222-4333-8444-555555555555',
        }),
      ),
    )
    await configure('azure-native:location', 'westeurope')
    await configure('--path', 'issuers[0].issuer', emulator.entra.issuer)
    await configure('--path', 'issuers[0].audience', 'api://acs-kit')
  })
  afterAll(() => open.disposeAsync())

  const configure = (...args: string[]) => engine.run('config', 'set', ...args)
  const up = () => engine.run('up', '--yes', '--skip-preview')
  const types = () => emulator.resourceManager.resources().map(({ id }) => id.type.split('/').at(-1))
  const communication = () =>
    emulator.resourceManager.resources().find(({ id }) => id.type.endsWith('communicationServices'))!
  /** Everything that was kept of the stack. */
  const kept = () =>
    readdirSync(engine.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .join('\n')

  it('refuses a configuration with every mistake at once, and touches nothing', async () => {
    await configure('dataLocation', 'Mars')
    await configure('sku', 'F1')
    const { code, stdout, stderr } = await up()
    expect(code).not.toBe(0)
    expect(stdout + stderr).toMatch(/dataLocation is "Mars"[^]*sku is "F1"/)
    expect(types()).toEqual([])
    for (const name of ['dataLocation', 'sku']) await engine.run('config', 'rm', name)
  })

  it('previews without touching anything', async () => {
    const { code, stdout } = await engine.run('preview')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\+ 12 to create/)])
    expect(types()).toEqual([])
  })

  it('makes everything, and keeps what is secret so', async () => {
    const { code, stdout, stderr } = await up()
    expect([code, stderr]).toEqual([0, ''])
    expect(new Set(types())).toEqual(
      new Set([
        'communicationServices',
        'resourceGroups',
        'roleAssignments',
        'serverfarms',
        'sites',
        'storageAccounts',
        'tables',
        'userAssignedIdentities',
      ]),
    )
    const { connectionString, secondaryConnectionString } = emulator.resources.at(-1)!
    const output = JSON.parse((await engine.run('stack', 'output', '--json', '--show-secrets')).stdout) as Record<
      string,
      string
    >
    expect(output).toMatchObject({
      connectionString,
      secondaryConnectionString,
      communicationEndpoint: emulator.resources.at(-1)!.endpoint,
    })
    for (const text of [stdout, (await engine.run('stack', 'output')).stdout, kept()]) {
      for (const secret of [connectionString, secondaryConnectionString]) {
        expect(text).not.toContain(/accesskey=(.+)$/.exec(secret)![1])
      }
    }
  })

  it('changes nothing when nothing changed', async () => {
    expect((await up()).stdout).toMatch(/13 unchanged/)
  })

  it('updates what a tag is on', async () => {
    await configure('--path', 'tags.team', 'a')
    expect((await up()).stdout).toMatch(/6 updated/)
    expect(communication().envelope.tags).toEqual({ team: 'a' })
  })

  it('finds what was changed behind its back', async () => {
    const { id } = communication()
    const { accessToken } = await emulator.entra.signIn({ user: 'somebody', audience: 'https://management.azure.com' })
    const answer = await fetch(new URL(`${id.id}?api-version=2026-03-18`, emulator.endpoint), {
      method: 'PATCH',
      headers: { Authorization: `Bearer ${accessToken}` },
      body: JSON.stringify({ tags: { team: 'b' } }),
    })
    expect(answer.status).toBe(200)
    expect((await engine.run('refresh', '--yes', '--skip-preview')).stdout).toMatch(/1 updated/)
    expect((await up()).stdout).toMatch(/1 updated/)
    expect(communication().envelope.tags).toEqual({ team: 'a' })
  })

  it('refuses to replace or delete what is protected', async () => {
    await configure('protect', 'true')
    expect((await up()).code).toBe(0)
    await configure('dataLocation', 'Europe')
    const replaced = await up()
    expect([replaced.code, replaced.stdout + replaced.stderr]).toEqual([
      expect.any(Number),
      expect.stringMatching(/protect/),
    ])
    expect(replaced.code).not.toBe(0)
    const destroyed = await engine.run('destroy', '--yes', '--skip-preview')
    expect(destroyed.code).not.toBe(0)
    expect(communication().envelope.properties!['dataLocation']).toBe('United States')
  })

  it('replaces the resource at another place once it may', async () => {
    await configure('protect', 'false')
    // A destroy that was refused has deleted what was not protected; this brings it back.
    await engine.run('config', 'rm', 'dataLocation')
    expect((await up()).code).toBe(0)
    const before = communication().id.name
    await configure('dataLocation', 'Europe')
    expect((await up()).stdout).toMatch(/1 replaced/)
    expect(communication().envelope.properties!['dataLocation']).toBe('Europe')
    expect(communication().id.name).not.toBe(before)
  })

  it('keeps what there is when something fails, and completes it the next time', async () => {
    await engine.run('destroy', '--yes', '--skip-preview')
    emulator.faults.add({ operation: 'armPut', status: 400, count: 2, rate: 0.5, seed: 3 })
    const failed = await up()
    expect(failed.code).not.toBe(0)
    expect(failed.stdout + failed.stderr).toContain('InjectedFault')
    emulator.faults.clear()
    const { code } = await up()
    expect([code, types().length]).toEqual([0, 8])
  })

  it('destroys everything, and nothing is left', async () => {
    const { code, stdout } = await engine.run('destroy', '--yes', '--skip-preview')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/13 deleted/)])
    expect(types()).toEqual([])
    expect(emulator.resources).toHaveLength(1)
  })
})

import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { oldVersionFlag } from '@acs-kit/test-support/old-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalEngine } from '../src/pulumi/local-engine.ts'
import { findPulumi } from '@acs-kit/infra/pulumi-cli'
import { startStandInProvider } from '../src/stand-in-provider/stand-in-provider.ts'

const infra = join(import.meta.dirname, '../../../infra')
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
      await LocalEngine.start(cli!, await startStandInProvider(emulator.resourceManager.servicePrincipal)),
    )
    await configure('azure-native:location', 'westeurope')
    await configure('--path', 'issuers[0].issuer', emulator.entra.issuer)
    await configure('--path', 'issuers[0].audience', 'api://acs-kit')
  })
  afterAll(() => open.disposeAsync())

  const configure = (...args: string[]) => engine.run('config', 'set', ...args)
  const up = () => engine.run('up', '--yes', '--skip-preview')
  /** As people run it. */
  const upWithPreview = () => engine.run('up', '--yes')
  const types = () => emulator.resourceManager.resources().map(({ id }) => id.type.split('/').at(-1))
  const communication = () =>
    emulator.resourceManager.resources().find(({ id }) => id.type.endsWith('communicationServices'))!
  /** Everything that was kept of the stack. */
  const kept = () =>
    readdirSync(engine.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .join('\n')

  it('runs index.ts, even next to a stray index.js', async () => {
    const folder = join(engine.folder, 'program')
    mkdirSync(folder)
    for (const name of ['Pulumi.yaml', 'package.json', 'main.mjs']) copyFileSync(join(infra, name), join(folder, name))
    symlinkSync(join(infra, 'node_modules'), join(folder, 'node_modules'))
    for (const name of ['index.ts', 'index.js', 'index.mjs'])
      writeFileSync(join(folder, name), `export const ran = '${name}'`)
    const args = ['preview', '--stack', 'local', '--cwd', folder, '--non-interactive', '--config-file']
    const { stdout } = await promisify(execFile)(cli!.command, [...args, join(engine.folder, 'Pulumi.local.yaml')], {
      env: { ...process.env, ...engine.env },
    })
    expect(stdout).toMatch(/ran: "index\.ts"/)
  })

  it('says in a sentence which Node it needs', async () => {
    const env = { ...process.env, ...engine.env, NODE_OPTIONS: oldVersionFlag }
    const args = ['preview', '--stack', 'local', '--cwd', infra, '--non-interactive', '--config-file']
    const { stdout } = (await promisify(execFile)(cli!.command, [...args, join(engine.folder, 'Pulumi.local.yaml')], {
      env,
    }).catch((error: unknown) => error)) as { stdout: string }
    expect(stdout).toMatch(
      /^ *error: Node 24\.12 or newer is required, and this is Node 20\.20\.0: put a newer one first on PATH$/m,
    )
    expect(stdout).not.toMatch(/unhandled exception|^ +at /m)
  })

  it('rejects a configuration with every mistake at once, without a stack, and touches nothing', async () => {
    await configure('dataLocation', 'Mars')
    await configure('protect', 'yes')
    await configure('--path', 'tags.costCenter', '42')
    await configure('--path', 'issuers[0].audience', '5')
    await configure('allowedOrigins', '5')
    for (const command of ['preview', 'up']) {
      const { code, stdout, stderr } = await engine.run(command, ...(command === 'up' ? ['--yes'] : []))
      expect(code).not.toBe(0)
      const text = stdout + stderr
      for (const name of ['dataLocation', 'protect', 'tags.costCenter', 'issuers', 'allowedOrigins'])
        expect(text, command).toMatch(new RegExp(`^ +- ${name} `, 'm'))
      expect(text, command).not.toMatch(/unhandled exception|^ +at /m)
    }
    expect(types()).toEqual([])
    for (const name of ['dataLocation', 'protect', 'tags', 'allowedOrigins']) await engine.run('config', 'rm', name)
    await configure('--path', 'issuers[0].audience', 'api://acs-kit')
    await configure('--path', 'tags.team', 'none')
  })

  it('previews without touching anything', async () => {
    const { code, stdout } = await engine.run('preview')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\+ 13 to create/)])
    expect(types()).toEqual([])
  })

  /** How often the resource manager was asked for what, since the last time, but for how operations are going: that depends on the time. */
  const requests = () => {
    const counts: Record<string, number> = {}
    for (const { method, path, operation } of emulator.requests.list()) {
      const [, type, action] = /\/(\w+)\/[^/]+(\/listKeys)?$/.exec(path) ?? []
      if (!operation?.startsWith('arm') || /^operation(?:Statuses|Results)$/.test(type!)) continue
      const key = `${method} ${type}${action ?? ''}`
      counts[key] = (counts[key] ?? 0) + 1
    }
    emulator.requests.clear()
    return counts
  }
  const made = [
    'communicationServices',
    'resourceGroups',
    'roleAssignments',
    'serverfarms',
    'sites',
    'storageAccounts',
    'tables',
    'userAssignedIdentities',
  ]
  const each = (method: string, count: number) => Object.fromEntries(made.map((type) => [`${method} ${type}`, count]))

  it('makes everything, and keeps what is secret so', async () => {
    emulator.requests.clear()
    const { code, stdout, stderr } = await up()
    expect([code, stderr]).toEqual([0, ''])
    expect(requests()).toEqual({
      // Before it is put, and after.
      ...each('GET', 2),
      ...each('PUT', 1),
      // Also looked up by the program.
      'GET userAssignedIdentities': 3,
      'POST communicationServices/listKeys': 1,
    })
    expect(new Set(types())).toEqual(new Set(made))
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

  it('gives no secret to whom does not know the passphrase, and keeps the state as it is', async () => {
    const before = await engine.run('stack', 'export')
    const env = { ...process.env, ...engine.env, PULUMI_CONFIG_PASSPHRASE: 'wrong' }
    const args = ['stack', 'output', '--show-secrets', '--stack', 'local', '--cwd', engine.folder]
    await expect(promisify(execFile)(cli!.command, args, { env })).rejects.toMatchObject({
      stdout: '',
      stderr: expect.stringContaining('incorrect passphrase'),
    })
    expect(await engine.run('stack', 'export')).toEqual(before)
  })

  it('changes nothing when nothing changed', async () => {
    expect((await up()).stdout).toMatch(/13 unchanged/)
    expect(requests()).toEqual({ 'GET userAssignedIdentities': 1, 'POST communicationServices/listKeys': 1 })
  })

  it('announces and makes only updates when a tag changes, and names the tag', async () => {
    await configure('--path', 'tags.team', 'a')
    const preview = JSON.parse((await engine.run('preview', '--json')).stdout) as {
      changeSummary: object
      steps: { urn: string; detailedDiff?: object }[]
    }
    expect(preview.changeSummary).toEqual({ same: 7, update: 6 })
    const step = preview.steps.find(({ urn }) => urn.includes(':CommunicationService::'))
    expect(step!.detailedDiff).toEqual({ 'tags.team': { kind: 'update', inputDiff: true } })
    const { code, stdout } = await upWithPreview()
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/~ 6 to update\n +7 unchanged[^]*~ 6 updated\n +7 unchanged/),
    ])
    expect(communication().envelope.tags).toEqual({ team: 'a' })
  })

  it('announces and makes one update when the plan changes', async () => {
    await configure('sku', 'P0v3')
    expect((await upWithPreview()).stdout).toMatch(/~ 1 to update\n +12 unchanged[^]*~ 1 updated\n +12 unchanged/)
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

  it('updates protected resources, and rejects replacing or deleting them', async () => {
    await configure('protect', 'true')
    expect((await up()).code).toBe(0)
    await configure('--path', 'tags.team', 'b')
    expect(await upWithPreview()).toMatchObject({ code: 0, stdout: expect.stringMatching(/6 updated/) })
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
    emulator.requests.clear()
    const { code, stdout } = await engine.run('destroy', '--yes', '--skip-preview')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/13 deleted/)])
    expect(requests()).toEqual(each('DELETE', 1))
    expect(types()).toEqual([])
    expect(emulator.resources).toHaveLength(1)
  })
})

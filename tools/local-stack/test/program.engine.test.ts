import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Emulator } from '@acs-kit/communication-emulator'
import { createCommunicationIdentities } from '@acs-kit/communication-identity'
import { oldVersionFlag } from '@acs-kit/test-support/old-node'
import { describe, expect, it } from 'vitest'
import { LocalEngine } from '../src/pulumi/local-engine.ts'
import { useEngine } from './engine-fixture.ts'
import { cli, runPulumi, runsEngine } from './pulumi-process.ts'

const infra = dirname(fileURLToPath(import.meta.resolve('@acs-kit/infra')))

// Each step builds on the ones before it.
describe.runIf(runsEngine)('the genuine engine with the stand-in provider', () => {
  let emulator: Emulator
  let engine: LocalEngine
  useEngine((azure) => ({ emulator, engine } = azure))

  const run = (...args: string[]) => runPulumi(engine, ...args)
  const configure = (...args: string[]) => run('config', 'set', ...args)
  const up = () => run('up', '--yes', '--skip-preview')
  const types = () => emulator.resourceManager.resources().map(({ id }) => id.type.split('/').at(-1))
  const communication = () =>
    emulator.resourceManager.resources().find(({ id }) => id.type.endsWith('communicationServices'))!
  /** Content of all files that the engine wrote. */
  const writtenText = () =>
    readdirSync(engine.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .join('\n')
  const preview = (folder: string, env: NodeJS.ProcessEnv = {}) =>
    promisify(execFile)(
      cli!.command,
      ['preview', '--stack', 'local', '--cwd', folder, '--non-interactive', '--config-file'].concat(
        join(engine.folder, 'Pulumi.local.yaml'),
      ),
      { env: { ...process.env, ...engine.env, ...env } },
    )

  it('runs index.ts even next to a stray index.js', async () => {
    const folder = join(engine.folder, 'program')
    mkdirSync(folder)
    for (const name of ['Pulumi.yaml', 'package.json', 'main.mjs']) copyFileSync(join(infra, name), join(folder, name))
    symlinkSync(join(infra, 'node_modules'), join(folder, 'node_modules'))
    for (const name of ['index.ts', 'index.js', 'index.mjs'])
      writeFileSync(join(folder, name), `export const ran = '${name}'`)
    expect((await preview(folder)).stdout).toMatch(/ran: "index\.ts"/)
    // Otherwise `writtenText` follows the link.
    rmSync(folder, { recursive: true })
  })

  it('names the required Node version in one sentence', async () => {
    const env = { NODE_OPTIONS: oldVersionFlag }
    const { stdout } = (await preview(infra, env).catch((error: unknown) => error)) as { stdout: string }
    expect(stdout).toMatch(
      /^ *error: Node 24\.12 or newer is required, and this is Node 20\.20\.0: put a newer one first on PATH$/m,
    )
    expect(stdout).not.toMatch(/unhandled exception|^ +at /m)
  })

  it('rejects a configuration with all issues at once, without a stack trace, and changes nothing', async () => {
    const invalid = ['dataLocation', 'protect', 'tags.costCenter', 'allowedOrigins']
    await engine.configure({
      dataLocation: 'Mars',
      protect: 'yes',
      'tags.costCenter': '42',
      'issuers[0].audience': '5',
      allowedOrigins: '5',
    })
    const { code, stdout, stderr } = await up()
    expect(code).not.toBe(0)
    for (const name of [...invalid, 'issuers']) expect(stdout + stderr).toMatch(new RegExp(`^ +- ${name} `, 'm'))
    expect(stdout + stderr).not.toMatch(/unhandled exception|^ +at /m)
    expect(types()).toEqual([])
    await engine.stack.removeAllConfig(invalid, true)
    await engine.configure({ 'issuers[0].audience': 'api://acs-kit', 'tags.team': 'none' })
  })

  /** Counts requests to the resource manager since the last call, without polls, whose number depends on timing. */
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
  const created = [
    'communicationServices',
    'resourceGroups',
    'roleAssignments',
    'serverfarms',
    'sites',
    'storageAccounts',
    'tables',
    'userAssignedIdentities',
  ]
  const each = (method: string, count: number) =>
    Object.fromEntries(created.map((type) => [`${method} ${type}`, count]))

  it('creates everything and keeps secrets secret', async () => {
    emulator.requests.clear()
    const { code, stdout, stderr } = await up()
    expect([code, stderr]).toEqual([0, ''])
    expect(requests()).toEqual({
      // Before and after each PUT.
      ...each('GET', 2),
      ...each('PUT', 1),
      'GET basicPublishingCredentialsPolicies': 4,
      'PUT basicPublishingCredentialsPolicies': 2,
      // A GET of a site does not return its `siteConfig`.
      'GET config': 3,
      'PUT config': 1,
      // The program looks it up once.
      'GET userAssignedIdentities': 3,
      'POST communicationServices/listKeys': 1,
    })
    expect(new Set(types())).toEqual(new Set(created))
    const { connectionString, secondaryConnectionString } = emulator.resources.at(-1)!
    const output = JSON.parse((await run('stack', 'output', '--json', '--show-secrets')).stdout) as Record<
      string,
      string
    >
    expect(output).toMatchObject({
      connectionString,
      secondaryConnectionString,
      communicationEndpoint: emulator.resources.at(-1)!.endpoint,
    })
    for (const text of [stdout, (await run('stack', 'output')).stdout, writtenText()]) {
      for (const secret of [connectionString, secondaryConnectionString]) {
        expect(text).not.toContain(/accesskey=(.+)$/.exec(secret)![1])
      }
    }
  })

  it('shows no secret for a wrong passphrase and leaves the state unchanged', async () => {
    const before = await run('stack', 'export')
    const env = { ...process.env, ...engine.env, PULUMI_CONFIG_PASSPHRASE: 'wrong' }
    const args = ['stack', 'output', '--show-secrets', '--stack', 'local', '--cwd', engine.folder]
    await expect(promisify(execFile)(cli!.command, args, { env })).rejects.toMatchObject({
      stdout: '',
      stderr: expect.stringContaining('incorrect passphrase'),
    })
    expect(await run('stack', 'export')).toEqual(before)
  })

  it('changes nothing when nothing changed', async () => {
    expect((await up()).stdout).toMatch(/16 unchanged/)
    expect(requests()).toEqual({ 'GET userAssignedIdentities': 1, 'POST communicationServices/listKeys': 1 })
  })

  it('previews and makes only updates when a tag changes, and names the tag', async () => {
    await configure('--path', 'tags.team', 'a')
    const plan = JSON.parse((await run('preview', '--json')).stdout) as {
      changeSummary: object
      steps: { urn: string; detailedDiff?: object }[]
    }
    expect(plan.changeSummary).toEqual({ same: 10, update: 6 })
    const step = plan.steps.find(({ urn }) => urn.includes(':CommunicationService::'))
    expect(step!.detailedDiff).toEqual({ 'tags.team': { kind: 'update', inputDiff: true } })
    const { code, stdout } = await up()
    expect([code, stdout]).toEqual([0, expect.stringMatching(/~ 6 updated\n +10 unchanged/)])
    expect(communication().envelope.tags).toEqual({ team: 'a' })
  })

  it('closes the communication resource to public networks, and reopens it while the plan changes', async () => {
    const { connectionString } = emulator.resources.at(-1)!
    const identities = await createCommunicationIdentities({ connectionString }, { sdk: 'identity' })
    await configure('publicNetworkAccess', 'Disabled')
    expect((await up()).stdout).toMatch(/~ 1 updated\n +15 unchanged/)
    expect(communication().envelope.properties!['publicNetworkAccess']).toBe('Disabled')
    await expect(identities.create()).rejects.toThrow('(403 Forbidden)')
    await run('config', 'rm', 'publicNetworkAccess')
    await configure('sku', 'P0v3')
    // With a preview, the default in a terminal. It does not know the keys of a resource that it updates, which the site needs.
    expect((await run('up', '--yes')).stdout).toMatch(/~ 3 to update\n +13 unchanged[^]*~ 2 updated\n +14 unchanged/)
    expect(await identities.create()).toMatch(/^8:acs:/)
  })

  it('lets another program read the outputs, as in the README', async () => {
    const readme = readFileSync(join(infra, 'README.md'), 'utf8')
    const [, program] = /```ts\n(import \{ StackReference \}[^]*?)```/.exec(readme)!
    const folder = join(engine.folder, 'reader')
    mkdirSync(folder)
    writeFileSync(
      join(folder, 'Pulumi.yaml'),
      readFileSync(join(infra, 'Pulumi.yaml'), 'utf8').replace('acs-kit', 'reader'),
    )
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', main: 'index.ts' }))
    writeFileSync(join(folder, 'index.ts'), program!.replace('/dev', '/local'))
    symlinkSync(join(infra, 'node_modules'), join(folder, 'node_modules'))
    const pulumi = (...args: string[]) =>
      promisify(execFile)(cli!.command, [...args, '--cwd', folder, '--non-interactive'], { env: engine.env })
    await pulumi('stack', 'init', 'reader')
    const { stdout } = await pulumi('preview', '--stack', 'reader')
    const { tokenServiceUrl } = await engine.stack.outputs()
    expect(stdout).toContain(`tokenServiceUrl: "${tokenServiceUrl!.value as string}"`)
  })

  it('leaves resources where they are when azure-native:location changes, and locks them if protected', async () => {
    await engine.configure({ 'azure-native:location': 'northeurope', protect: 'true' })
    expect((await up()).stdout).toMatch(/\+ 2 created\n +16 unchanged/)
    await configure('azure-native:location', 'westeurope')
  })

  it('updates protected resources and rejects replacing or deleting them', async () => {
    await configure('--path', 'tags.team', 'b')
    expect(await up()).toMatchObject({ code: 0, stdout: expect.stringMatching(/6 updated/) })
    await configure('dataLocation', 'Europe')
    const replaced = await up()
    expect([replaced.code, replaced.stdout + replaced.stderr]).toEqual([
      expect.any(Number),
      expect.stringMatching(/protect/),
    ])
    expect(replaced.code).not.toBe(0)
    // With a preview, as by default, nothing is deleted; without it, everything that is neither protected nor needed.
    const existing = types()
    expect((await run('destroy', '--yes')).code).not.toBe(0)
    expect(types()).toEqual(existing)
    expect((await run('destroy', '--yes', '--skip-preview')).code).not.toBe(0)
    expect(new Set(types())).toEqual(new Set(['resourceGroups', 'communicationServices', 'storageAccounts', 'tables']))
    expect(communication().envelope.properties!['dataLocation']).toBe('United States')
  })

  it('replaces the resource for a new data location once it is unprotected', async () => {
    await configure('protect', 'false')
    // The rejected destroy deleted the unprotected resources; this restores them.
    await run('config', 'rm', 'dataLocation')
    expect((await up()).code).toBe(0)
    const before = communication().id.name
    await configure('dataLocation', 'Europe')
    expect((await up()).stdout).toMatch(/1 replaced/)
    expect(communication().envelope.properties!['dataLocation']).toBe('Europe')
    expect(communication().id.name).not.toBe(before)
  })

  it("names the README next to Azure's error when the communication resource is not created, and keeps the former one", async () => {
    const before = communication()
    await configure('dataLocation', 'Canada')
    emulator.faults.add({ operation: 'armPut', status: 403 })
    const { code, stdout } = await up()
    // As in npm start.
    await expect(engine.up()).rejects.toThrow(
      /not created, .* see README\.md#new-customers .*\nStatus=403 Code="InjectedFault"/,
    )
    emulator.faults.clear()
    expect([code, stdout]).toEqual([expect.any(Number), expect.stringContaining('Status=403 Code="InjectedFault"')])
    expect(code).not.toBe(0)
    expect(stdout).toMatch(/^ +error: Communication Services resource not created, .* see README\.md#new-customers /m)
    expect(communication()).toEqual(before)
    await configure('dataLocation', 'Europe')
  })

  it("shows Azure's error when the communication resource is not deleted", async () => {
    const destroy = (type: string) =>
      run('destroy', '--yes', '--skip-preview', '--target-dependents', '--target', `**:${type}::**`)
    expect((await destroy('WebApp')).code).toBe(0)
    emulator.faults.add({ operation: 'armDelete', status: 409 })
    const { code, stdout } = await destroy('CommunicationService')
    emulator.faults.clear()
    expect(code).not.toBe(0)
    expect(stdout).toContain('error: Status=409 Code="InjectedFault"')
    expect(stdout).not.toMatch(/hook|not created/)
  })

  it('keeps existing resources when an up fails and completes it the next time', async () => {
    await run('destroy', '--yes', '--skip-preview')
    emulator.faults.add({ operation: 'armPut', status: 400, count: 2, rate: 0.5, seed: 3 })
    const failed = await up()
    expect(failed.code).not.toBe(0)
    expect(failed.stdout + failed.stderr).toContain('InjectedFault')
    emulator.faults.clear()
    const { code } = await up()
    expect([code, types().length]).toEqual([0, 8])
  })

  it('destroys everything and leaves nothing', async () => {
    emulator.requests.clear()
    const { code, stdout } = await run('destroy', '--yes', '--skip-preview')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/16 deleted/)])
    expect(requests()).toEqual(each('DELETE', 1))
    expect(types()).toEqual([])
    expect(emulator.resources).toHaveLength(1)
  })

  it('reports each resource through the Automation API, and reads the outputs', async () => {
    const reported: string[] = []
    const onResource = (type: string, operation: string) => void reported.push(`${type} ${operation}`)
    await engine.up({ onResource })
    const { connectionString, endpoint } = emulator.resources.at(-1)!
    expect(await engine.readOutputs()).toMatchObject({ connectionString, communicationEndpoint: endpoint })
    expect(reported).toHaveLength(11)
    expect(reported).toContain('CommunicationService created')
    await engine.destroy({ onResource })
    expect(reported.slice(11)).toHaveLength(11)
    expect(reported).toContain('CommunicationService deleted')
    expect(types()).toEqual([])
  })

  it('rejects with the diagnostics of an up that fails, and with the reason of one that is cancelled', async () => {
    await engine.configure({ dataLocation: 'Mars' })
    await expect(engine.up()).rejects.toThrow(/^pulumi up failed: invalid configuration of the stack local:\n- dataL/)
    await engine.configure({ dataLocation: 'Europe' })
    const cancelled = new AbortController()
    const onResource = () => cancelled.abort(new Error('cancelled'))
    await expect(engine.up({ onResource, signal: cancelled.signal })).rejects.toThrow('cancelled')
    expect(types().length).toBeLessThan(8)
    await engine.destroy()
    expect(types()).toEqual([])
  })

  it('rejects a new engine with the reason why its stack cannot be created', async () => {
    const disposed = Promise.withResolvers<void>()
    const provider = { port: 1, [Symbol.asyncDispose]: async () => disposed.resolve() }
    const broken = Object.assign(Object.create(cli!) as NonNullable<typeof cli>, { command: '/missing/pulumi' })
    await expect(LocalEngine.start(broken, provider)).rejects.toThrow(/^pulumi stack init failed: .*ENOENT/s)
    await disposed.promise
  })
})

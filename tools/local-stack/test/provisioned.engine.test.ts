import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import type { Emulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startLocalStack, type LocalStack } from '../src/local-stack.ts'
import { startForeignEnvironment } from './foreign-environment.ts'
import { probeListeners } from './foreign-hosts.ts'
import { findProcesses } from './processes.ts'
import { cli, runsEngine } from './pulumi-process.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')
const script = join(import.meta.dirname, '../src/start.ts')
const printOutputs = join(import.meta.dirname, '../src/print-outputs.ts')
const mappings = fileURLToPath(import.meta.resolve('@acs-kit/infra/mappings'))
const { COMMUNICATION_SERVICES_CONNECTION_STRING: _, ...environment } = process.env

function readAllFiles(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}

function readCommandLines(): string {
  const lines = readdirSync('/proc').map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    } catch {
      return ''
    }
  })
  return lines.join('\n')
}

async function listStorageKeys({ endpoint, entra, resourceManager }: Emulator): Promise<string[]> {
  const account = resourceManager.resources().find(({ id }) => id.type === 'Microsoft.Storage/storageAccounts')!
  const { accessToken } = await entra.signIn({ user: 'a', audience: 'https://management.azure.com' })
  const headers = { Authorization: `Bearer ${accessToken}` }
  const url = new URL(`${account.id.id}/listKeys?api-version=2025-01-01`, endpoint)
  const response = await fetch(url, { method: 'POST', headers })
  return ((await response.json()) as { keys: { value: string }[] }).keys.map(({ value }) => value)
}

describe.runIf(runsEngine)('with a Pulumi CLI', () => {
  it.each([
    [
      'npm start',
      [],
      /^ {2}outputs +[\d.]+ s {2}read in memory, including the connection string$/m,
      /^Deleted the identity with ID/m,
    ],
    [
      'npm run up:local -- --once --keyless',
      ['--pulumi', '--keep', '--once', '--keyless'],
      /^ {2}outputs +[\d.]+ s {2}read in memory$/m,
      /^Skipped: it needs a connection/m,
    ],
  ])(
    'runs %s from up to destroy, ignores the settings of other programs, and leaves nothing',
    async (_name, args, outputs, quickstart) => {
      const folder = temporaryFolder()
      await using foreign = await startForeignEnvironment()
      const env = { ...environment, ...foreign.variables, TMPDIR: folder }
      const { stdout, stderr } = await run(process.execPath, [script, ...args], { env })
      for (const line of [
        /^pulumi up: genuine engine, stand-in provider, emulated Azure/m,
        /^ {2}CommunicationService +[\d.]+ s {2}created$/m,
        outputs,
        /^ {2}Blob +[\d.]+ s {2}the package, uploaded to emulated blob storage \(Azurite\)$/m,
        /^ {2}token service +[\d.]+ s {2}its package, mounted from the blob with the site's managed identity, at /m,
        /^ {2}ready +[\d.]+ s /m,
        /^ {2}voip token +[\d.]+ s {2}eyJ/m,
        /^ {2}deleted +[\d.]+ s {2}the identity/m,
        quickstart,
        /^ {2}destroyed +[\d.]+ s {2}1[5-7] resources$/m,
        /^ {2}remaining +[\d.]+ s {2}none$/m,
      ]) {
        expect(stdout).toMatch(line)
      }
      expect(stderr).toBe('')
      expect(foreign.proxied).toBe(0)
      expect(readdirSync(folder)).toEqual([])
      expect(findProcesses(folder)).toEqual([])
    },
  )

  it('serves only this machine until it is stopped, and then destroys everything', async () => {
    const folder = temporaryFolder()
    await using up = await ServerProcess.start({
      script,
      args: ['--pulumi', '--keep', '--port', '0', '--emulator-port', '0', '--demo-port', '0'],
      env: { ...environment, TMPDIR: folder },
      ready: /^call .*\n/m,
    })
    const { stdout } = await run('bash', ['-c', /^call +(.*)$/m.exec(up.stdout)![1]!], { cwd: root })
    expect(JSON.parse(stdout)).toMatchObject({ communicationUserId: expect.stringMatching(/^8:acs:/) })
    const [, page] = /^open +(\S+)/m.exec(up.stdout)!
    expect(await (await fetch(page!)).text()).toContain('<!doctype html>')
    // The emulator serves a provisioned resource on a port of its own, and Azurite serves blobs.
    expect(await probeListeners(folder)).toEqual({ servers: 6, reachable: [], accepted: [] })
    process.kill(up.pid, 'SIGTERM')
    expect(await up.exit()).toBe(0)
    expect(up.stdout).toMatch(/^ {2}remaining +[\d.]+ s {2}none$/m)
    expect(readdirSync(folder)).toEqual([])
    expect(findProcesses(folder)).toEqual([])
  })

  it.each([
    {
      name: 'destroys everything on Ctrl+C',
      args: ['--keep'],
      at: /^call .*\n/m,
      code: 0,
      end: / remaining .* none$/m,
    },
    {
      name: 'can be interrupted during a destroy',
      args: [],
      at: /^ {2}stopped /m,
      code: 1,
      end: /^acs-kit: interrupted$/m,
    },
  ])('$name in a terminal', async ({ args, at, code, end }) => {
    const folder = temporaryFolder()
    const ports = ['--port', '0', '--emulator-port', '0', '--demo-port', '0']
    await using start = ServerProcess.launch({
      script,
      args: ['--pulumi', ...args, ...ports],
      env: { ...environment, TMPDIR: folder },
      isDetached: true,
    })
    await expect.poll(() => start.stdout, { interval: 5 }).toMatch(at)
    // A terminal sends it to all processes of the group.
    process.kill(-start.pid, 'SIGINT')
    expect(await start.exit()).toBe(code)
    expect(start.stdout + start.stderr).toMatch(end)
    expect(readdirSync(folder)).toEqual([])
    expect(findProcesses(folder)).toEqual([])
  })

  it('ends with a remedy if it cannot write to TMPDIR', async () => {
    await expect(
      run(process.execPath, [script], { env: { ...environment, TMPDIR: '/dev/null/x' } }),
    ).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^acs-kit: ENOTDIR: .*: choose writable folders with --keys, HOME or TMPDIR\n$/),
    })
  })

  it('leaves nothing if it is stopped during an up', async () => {
    const folder = temporaryFolder()
    const up = ServerProcess.launch({
      script,
      args: ['--pulumi', '--once'],
      env: { ...environment, TMPDIR: folder },
    })
    await expect.poll(() => up.stdout, { interval: 5 }).toMatch(/ResourceGroup .* created/)
    process.kill(up.pid, 'SIGTERM')
    expect(await up.exit()).toBe(1)
    expect(up.stderr).toBe('acs-kit: interrupted\n')
    expect(readdirSync(folder)).toEqual([])
    expect(findProcesses(folder)).toEqual([])
  })
})

// The last test deletes the resource.
describe.runIf(runsEngine)('a provisioned local stack', () => {
  const open = new AsyncDisposableStack()
  let stack: LocalStack
  let folder: string
  let output = ''

  beforeAll(async () => {
    folder = open.use(new TemporaryFolder()).path
    vi.stubEnv('TMPDIR', folder)
    const record = (text: string) => void (output += text)
    stack = open.use(
      await startLocalStack({
        provision: { cli: cli! },
        ports: { emulator: 0, service: 0, demo: 0 },
        onLog: record,
        onStep: (name, result) => record(`${name} ${result}`),
      }),
    )
  })
  afterAll(async () => {
    await open.disposeAsync()
    vi.unstubAllEnvs()
  })

  /** Signs a user in and requests a token from the service. */
  async function requestToken(user: string) {
    const { accessToken, oid } = await stack.emulator.entra.signIn({ user })
    const headers = { Authorization: `Bearer ${accessToken}` }
    const response = await fetch(new URL('/v1/token', stack.service.url), { method: 'POST', headers })
    return { accessToken, oid, response }
  }

  it('has mappings that can be exported and restored', async () => {
    const { oid, response } = await requestToken('alice')
    const { communicationUserId } = (await response.json()) as { communicationUserId: string }
    const { port } = new URL(stack.demo!.url)
    const cwd = temporaryFolder()
    const node = `'${process.execPath}'`
    /** As in the README, with the programs behind the scripts. */
    const runMappings = (args: string) =>
      run(
        'sh',
        ['-c', `eval "$(${node} '${printOutputs}' --demo-port ${port} --pulumi)"; ${node} '${mappings}' ${args}`],
        { cwd, env: { PATH: `${dirname(cli!.command)}:${process.env['PATH']}`, HOME: process.env['HOME'] } },
      )
    await runMappings('export local users.csv --format csv')
    expect(readFileSync(join(cwd, 'users.csv'), 'utf8').split('\n')[1]).toBe(
      `${communicationUserId},${oid},${stack.emulator.entra.tenantId},mapped,`,
    )
    await runMappings('export local backup.ndjson --format ndjson')
    const imported = await runMappings('import local backup.ndjson')
    expect(imported.stdout).toMatch(
      /^0 users and 0 journal entries inserted, [12] already present, 0 in conflict, 0 rejected\n$/,
    )
  })

  it.runIf(process.platform === 'linux')('keeps secrets in memory', async () => {
    const { accessToken, response } = await requestToken('carol')
    const { token } = (await response.json()) as { token: string }
    const { primaryKey, secondaryKey, connectionString } = await stack.resources!.readOutputs()
    expect(connectionString).toBe(stack.emulator.resources.at(-1)!.connectionString)
    expect(await listStorageKeys(stack.emulator)).toEqual(Azurite.accountKeys)
    const places = { files: readAllFiles(folder), commands: readCommandLines(), output }
    for (const [place, text] of Object.entries(places)) {
      expect(text.length, place).toBeGreaterThan(500)
      for (const secret of [primaryKey, secondaryKey, token, accessToken, ...Azurite.accountKeys]) {
        expect(text.includes(secret!), `a secret in ${place}`).toBe(false)
      }
    }
  })

  it('responds with 503 after its resource was deleted', async () => {
    await stack.resources!.destroy()
    const { response } = await requestToken('dave')
    expect([response.status, response.headers.get('Content-Type')]).toEqual([503, expect.stringMatching(/problem/)])
    expect((await fetch(new URL('/healthz', stack.service.url))).status).toBe(200)
  })
})

it("reports why provisioning is skipped, and uses the emulator's default resource", async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/pulumi'), '#!/bin/sh\necho v3.1.0\n')
  chmodSync(join(folder, 'bin/pulumi'), 0o755)
  const env = { ...environment, TMPDIR: folder, PATH: join(folder, 'bin') }
  const { stdout } = await run(process.execPath, [script], { env })
  expect(stdout).toMatch(/^Provisioning skipped, using the emulator's default resource: .*3\.1\.0.* 3\.217/m)
  expect(stdout).toMatch(/^ {2}deleted /m)
  await expect(run(process.execPath, [script, '--pulumi', '--once'], { env })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^acs-kit: .*3\.1\.0.* 3\.217.*\n$/),
  })
})

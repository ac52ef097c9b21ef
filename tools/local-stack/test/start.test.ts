import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startEmulator } from '@acs-kit/communication-emulator'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { describe, expect, it } from 'vitest'
import { startForeignEnvironment } from './foreign-environment.ts'
import { findProcesses } from './processes.ts'

const root = join(import.meta.dirname, '../../..')
const script = join(root, 'tools/local-stack/src/start.ts')
const { COMMUNICATION_SERVICES_CONNECTION_STRING: _, ACS_SDK: __, ...env } = process.env
const freePorts = ['--port', '0', '--emulator-port', '0', '--demo-port', '0']
const run = promisify(execFile)
const wholeToken = /eyJ[\w-]{20,}/

async function expectFailure(args: readonly string[], { env: own = env } = {}): Promise<string> {
  const { stderr, code } = (await run(process.execPath, [script, ...args], { env: own }).catch(
    (error: unknown) => error,
  )) as { stderr: string; code: number }
  expect(code).toBe(1)
  return stderr
}

function startAndKeep(mark: string): Promise<ServerProcess> {
  return ServerProcess.start({
    script,
    args: ['--keep', '--no-pulumi', ...freePorts],
    env: { ...env, TMPDIR: mark },
    ready: /^outputs .*\n/m,
  })
}

it('shows tokens, a chat and the quickstart in an environment of other programs, and stops everything', async () => {
  const mark = temporaryFolder()
  await using foreign = await startForeignEnvironment()
  const { stdout, stderr } = await run(process.execPath, [script, '--no-pulumi'], {
    env: { ...env, ...foreign.variables, TMPDIR: mark },
  })
  const id = String.raw`8:acs:[\da-f-]{36}_[\da-f-]{36}`
  const token = String.raw`eyJhbGci\.\.\.[\w-]{8}`
  for (const line of [
    /^ {2}signed in +[\d.]+ s {2}as alice/,
    /^ {2}signed in +[\d.]+ s {2}alice and bob, each with a chat token/,
    new RegExp(`^  identity +[\\d.]+ s  ${id}$`),
    new RegExp(`^  voip token +[\\d.]+ s  ${token}, until 20`),
    new RegExp(`^  chat token +[\\d.]+ s  ${token}, until 20`),
    /^ {2}voip token, again +[\d.]+ s {2}the same token, from memory/,
    /^ {2}second client +[\d.]+ s {2}of the same user/,
    new RegExp(`^  refreshed +[\\d.]+ s  ${token}, until 20.*, a new token$`),
    /^ {2}revoked +.*: revoked$/,
    /^ {2}deleted .* the identity and everything stored about it$/,
    /^ {2}deleted .* the thread and both identities$/,
    /^ {2}thread +[\d.]+ s {2}created by alice, with bob: 19:acsV2_[\w-]{43}1@thread\.v2$/,
    /^ {2}event +[\d.]+ s {2}received by bob: Alice: Noon\?$/,
    /^ {2}messages +[\d.]+ s {2}listed by alice: Alice: Noon\? Bob: Yes\.$/,
    /^Azure Communication Services - Access Tokens Quickstart$/,
    new RegExp(`^Issued a access token with 'chat' scope for identity with ID: ${id}:$`),
    new RegExp(`^Deleted the identity with ID: ${id}$`),
  ]) {
    expect(
      stdout.split('\n').filter((candidate) => line.test(candidate)),
      String(line),
    ).toHaveLength(1)
  }
  expect(stderr).toBe('')
  expect(stdout).not.toMatch(wholeToken)
  expect(foreign.proxied).toBe(0)
  expect(findProcesses(mark)).toEqual([])
})

it('ignores a connection string if nothing listens there, and the proxy exceptions of other programs', async () => {
  await using foreign = await startForeignEnvironment()
  const stopped = await startEmulator()
  await stopped[Symbol.asyncDispose]()
  const { stdout, stderr } = await run(process.execPath, [script, '--no-pulumi'], {
    env: {
      ...env,
      ...foreign.variables,
      NO_PROXY: 'a.example',
      no_proxy: 'b.example',
      no_grpc_proxy: 'c.example',
      COMMUNICATION_SERVICES_CONNECTION_STRING: `"accesskey=${stopped.accessKey};endpoint=${stopped.endpoint};"`,
    },
  })
  expect(stderr).toMatch(
    /^acs-kit: COMMUNICATION_SERVICES_CONNECTION_STRING ignored: nothing listens at https:\/\/localhost:\d+\n$/,
  )
  expect(stdout).toMatch(/^Deleted the identity/m)
  expect(foreign.proxied).toBe(0)
})

it('uses the emulator that `communication-emulator env` names, and the SDK in the environment', async () => {
  await using emulator = await startEmulator()
  const { origin, port } = new URL(emulator.endpoint)
  const cli = fileURLToPath(import.meta.resolve('@acs-kit/communication-emulator/bin'))
  const command = `eval "$('${process.execPath}' '${cli}' env --port ${port})" && exec '${process.execPath}' '${script}'`
  const { stdout, stderr } = await run('bash', ['-c', command], { env: { ...env, ACS_SDK: 'administration' } })
  expect(stderr).toBe('')
  expect(stdout).toContain(`real: ${origin}`)
  expect(stdout).toMatch(/^Deleted the identity/m)
  expect(stdout).not.toContain(emulator.accessKey)
  expect(emulator.identities()).toEqual([])
  expect(emulator.requests.list().filter(({ status }) => status === 200).length).toBeGreaterThan(3)
})

it.runIf(process.platform !== 'win32')('deletes all identities if Ctrl+C interrupts the chat', async () => {
  await using emulator = await startEmulator()
  const { connectionString } = emulator
  await using start = await ServerProcess.start({
    script,
    env: { ...env, ...emulator.nodeEnvironment(), COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString },
    isDetached: true,
    ready: /alice and bob/,
  })
  expect(emulator.identities()).not.toEqual([])
  // A terminal sends the signal to all programs of the process group.
  process.kill(-start.pid, 'SIGINT')
  expect(await start.exit()).toBe(1)
  expect(start.stderr).toBe('acs-kit: interrupted\n')
  expect(emulator.identities()).toEqual([])
})

describe.runIf(process.platform === 'linux')('with --keep', () => {
  it('prints commands that work when pasted, and runs until Ctrl+C', async () => {
    const mark = temporaryFolder()
    await using start = await startAndKeep(mark)
    const [, call] = /^call +(.*)$/m.exec(start.stdout)!
    const { stdout } = await run('bash', ['-c', call!], { cwd: root })
    expect(JSON.parse(stdout)).toMatchObject({
      communicationUserId: expect.stringMatching(/^8:acs:/),
      token: expect.any(String),
    })
    const [, outputs] = /^outputs +(.*)$/m.exec(start.stdout)!
    const url = /^call .*(http:\S+)\/v1\/token$/m.exec(start.stdout)![1]!
    expect((await run('bash', ['-c', outputs!], { cwd: root })).stdout).toContain(`tokenServiceUrl=${url}\n`)
    for (const [, address] of start.stdout.matchAll(/^(?:open)? +(http\S+)/gm)) {
      const page = await fetch(address!)
      expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<!doctype html>')])
    }
    expect(start.stdout).not.toMatch(wholeToken)
    expect(findProcesses(mark).length).toBeGreaterThan(2)
    process.kill(start.pid, 'SIGINT')
    expect(await start.exit()).toBe(0)
    expect(findProcesses(mark)).toEqual([])
  })

  it('leaves no process behind when it is killed', async () => {
    const mark = temporaryFolder()
    await using start = await startAndKeep(mark)
    process.kill(start.pid, 'SIGKILL')
    await start.exit()
    await expect.poll(() => findProcesses(mark)).toEqual([])
  })

  it('reports that the token service died, and stops everything', async () => {
    const mark = temporaryFolder()
    await using start = await startAndKeep(mark)
    const service = findProcesses(mark).find((pid) => readFileSync(`/proc/${pid}/cmdline`).includes('token-service'))!
    process.kill(service, 'SIGKILL')
    expect(await start.exit()).toBe(1)
    expect(start.stderr).toMatch(/^acs-kit: token service exited with SIGKILL.*run the same command again\n$/)
    expect(findProcesses(mark)).toEqual([])
  })
})

it('names the remedy for a port in use, and for a HOME that is a file', async () => {
  await using other = await startEmulator()
  const { port } = new URL(other.endpoint)
  for (const option of ['--emulator-port', '--port', '--demo-port']) {
    const stderr = await expectFailure(['--keep', '--no-pulumi', ...freePorts, option, port])
    expect(stderr, option).toMatch(new RegExp(`^acs-kit: .*port ${port} is in use: stop`))
  }
  const home = join(temporaryFolder(), 'file')
  writeFileSync(home, '')
  expect(await expectFailure(['--no-pulumi'], { env: { ...env, HOME: home, XDG_DATA_HOME: '' } })).toMatch(
    /^acs-kit: the folder \S+\/file\/.* cannot be used: E[A-Z]+: .*: choose a writable folder with --keys or HOME\n$/,
  )
})

it.each([
  {
    args: ['--port', 'http'],
    message: "option '--port <number>' argument 'http' is invalid: expected a number from 0 to 65535",
  },
  {
    args: ['--allow-origin', 'https://a.example/'],
    message: "argument 'https://a.example/' is invalid: has an invalid entry 1: list",
  },
  { args: ['--kep'], message: "unknown option '--kep' (Did you mean --keep?)" },
  { args: ['extra'], message: 'too many arguments' },
  {
    args: ['--keyless', '--no-pulumi'],
    message: "option '--keyless' cannot be used with option '--no-pulumi'",
  },
  {
    args: ['--provider', 'genuine', '--no-pulumi'],
    message: "option '--provider genuine' cannot be used with option '--no-pulumi'",
  },
  {
    args: ['--provider', 'azure'],
    message: "option '--provider <name>' argument 'azure' is invalid: Allowed choices are stand-in, genuine",
  },
])('rejects $args in one line with its usage', async ({ args, message }) => {
  const stderr = await expectFailure(args)
  expect(stderr).toContain(message)
  expect(stderr).toMatch(/^acs-kit: .*: usage: npm start -- \[options\]\n$/)
})

it('rejects an unknown SDK before it starts anything', async () => {
  const mark = temporaryFolder()
  const stderr = await expectFailure(['--no-pulumi'], { env: { ...env, ACS_SDK: 'bogus', TMPDIR: mark } })
  expect(stderr).toBe('acs-kit: ACS_SDK must be identity or administration\n')
})

it.each([
  [
    'start.ts',
    ['--keep', '--once', '--pulumi', '--no-pulumi', '--keyless', '--provider', '--port', '--allow-origin', '--keys'],
  ],
  ['dev.ts', ['--data', '--port', '--emulator-port', '--demo-port', '--allow-origin', '--keys']],
  ['print-outputs.ts', ['--demo-port', '--show-secrets']],
])('lists all options of %s with --help', async (name, options) => {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, '../src', name), '--help'], { env })
  for (const option of ['Usage: ', ...options, '--help']) expect(stdout).toContain(option)
})

it('names the script that npm runs in its usage', async () => {
  const args = [script, '--pulumi', '--keep', '--help']
  const { stdout } = await run(process.execPath, args, { env: { ...env, npm_lifecycle_event: 'up:local' } })
  expect(stdout).toMatch(/^Usage: npm run up:local -- \[options\]$/m)
})

const firstOpenPort = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
const hasReservedPorts = process.platform === 'linux' && Number(readFileSync(firstOpenPort, 'utf8')) > 80

it.runIf(hasReservedPorts)('names the remedy for a port that only the administrator may use', async () => {
  // Tests may run as root, which may use any port.
  const [command, leading] =
    process.getuid!() === 0
      ? ['setpriv', ['--bounding-set=-net_bind_service', process.execPath]]
      : [process.execPath, []]
  for (const option of ['--emulator-port', '--port', '--demo-port']) {
    const args = [...leading, script, '--keep', '--no-pulumi', ...freePorts, option, '80']
    await expect(run(command, args, { env }), option).rejects.toMatchObject({
      code: 1,
      stderr:
        'acs-kit: this user may not listen on port 80: choose one above 1023 with --port, --emulator-port or --demo-port\n',
    })
  }
})

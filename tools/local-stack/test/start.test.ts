import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEmulator } from '@acs-kit/communication-emulator'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { expect, it, onTestFinished } from 'vitest'
import { startForeignEnvironment } from './foreign-environment.ts'
import { processesOf } from './processes.ts'

const root = join(import.meta.dirname, '../../..')
const script = join(root, 'tools/local-stack/src/start.ts')
const { COMMUNICATION_SERVICES_CONNECTION_STRING: _, ACS_SDK: __, ...env } = process.env
const freePorts = ['--port', '0', '--emulator-port', '0', '--demo-port', '0']
const run = promisify(execFile)
const wholeToken = /eyJ[\w-]{20,}/

/** A folder for temporary files that marks the processes of one test. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'acs-kit-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

it('shows the way of a token from sign-in to deletion, the quickstart beside it, and stops everything', async () => {
  const mark = temporaryFolder()
  const { stdout, stderr } = await run(process.execPath, [script, '--no-pulumi'], { env: { ...env, TMPDIR: mark } })
  const id = String.raw`8:acs:[\da-f-]{36}_[\da-f-]{36}`
  const token = String.raw`eyJhbGci\.\.\.[\w-]{8}`
  for (const line of [
    /^ {2}signed in +[\d.]+ s {2}as alice/,
    new RegExp(`^  identity +[\\d.]+ s  ${id}$`),
    new RegExp(`^  voip token +[\\d.]+ s  ${token}, until 20`),
    new RegExp(`^  chat token +[\\d.]+ s  ${token}, until 20`),
    /^ {2}voip again +[\d.]+ s {2}the same token, from memory/,
    /^ {2}elsewhere +[\d.]+ s {2}another program/,
    /^ {2}revoked +.*: revoked$/,
    /^ {2}deleted /,
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
  expect(processesOf(mark)).toEqual([])
})

it.each([{}, { NO_PROXY: 'a.example', no_proxy: 'b.example', no_grpc_proxy: 'c.example' }])(
  'runs in a shell that was set up for other programs, with the proxy exceptions %j',
  async (exceptions) => {
    await using foreign = await startForeignEnvironment()
    const { stdout, stderr } = await run(process.execPath, [script, '--no-pulumi'], {
      env: { ...env, ...foreign.variables, ...exceptions },
    })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^Deleted the identity/m)
    expect(foreign.proxied).toBe(0)
  },
)

it('runs after `eval "$(communication-emulator env)"`, with the named emulator or, where it does not run, with its own', async () => {
  const cli = join(root, 'packages/communication-emulator/src/cli.ts')
  const start = (port: string) =>
    run(
      'bash',
      [
        '-c',
        `eval "$('${process.execPath}' '${cli}' env --port ${port})" && exec '${process.execPath}' '${script}' --no-pulumi`,
      ],
      {
        env,
      },
    )
  const stopped = await startEmulator()
  await stopped[Symbol.asyncDispose]()
  const { port } = new URL(stopped.endpoint)
  const alone = await start(port)
  expect(alone.stdout).toMatch(/^Deleted the identity/m)
  expect(alone.stderr).toBe(
    `acs-kit: COMMUNICATION_SERVICES_CONNECTION_STRING ignored: nothing listens at https://localhost:${port}\n`,
  )
  await using emulator = await startEmulator()
  const { stdout, stderr } = await start(new URL(emulator.endpoint).port)
  expect(stderr).toBe('')
  expect(stdout).toContain(`real: ${new URL(emulator.endpoint).origin}`)
  expect(stdout).toMatch(/^Deleted the identity/m)
}, 120_000)

it.each(['127.0.0.1', '[::1]', 'acs.localhost', 'LOCALHOST'])(
  'runs where it names %s, and nothing listens there',
  async (host) => {
    const stopped = await startEmulator()
    await stopped[Symbol.asyncDispose]()
    const port = new URL(stopped.endpoint).port
    const { stdout, stderr } = await run(process.execPath, [script, '--no-pulumi'], {
      env: {
        ...env,
        COMMUNICATION_SERVICES_CONNECTION_STRING: `accesskey=${stopped.accessKey};endpoint=https://${host}:${port}/`,
      },
    })
    expect(stderr).toMatch(/^acs-kit: COMMUNICATION_SERVICES_CONNECTION_STRING ignored: nothing listens at \S+\n$/)
    expect(stdout).toMatch(/^Deleted the identity/m)
  },
)

it('runs against a resource that the environment names, with whichever SDK it names', async () => {
  await using other = await startEmulator()
  const connectionString = `"accesskey=${other.accessKey};endpoint=${other.endpoint};"`
  const { stdout } = await run(process.execPath, [script], {
    env: { ...env, COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString, ACS_SDK: 'administration' },
  })
  expect(stdout).toContain(`real: ${new URL(other.endpoint).origin}`)
  expect(stdout).toMatch(/^Deleted the identity/m)
  expect(stdout).not.toContain(other.accessKey)
  expect(other.identities()).toEqual([])
  expect(other.requests.list().filter(({ status }) => status === 200).length).toBeGreaterThan(3)
})

it.runIf(process.platform === 'linux')(
  'stays up with --keep, with lines that work when pasted, until it is stopped or killed',
  async () => {
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const mark = temporaryFolder()
      await using start = await ServerProcess.start({
        script,
        args: ['--keep', '--no-pulumi', ...freePorts],
        env: { ...env, TMPDIR: mark },
        ready: /^call .*\n/m,
      })
      const call = /^call +(.*)$/m.exec(start.stdout)![1]!
      const { stdout } = await run('bash', ['-c', call], { cwd: root })
      expect(JSON.parse(stdout)).toMatchObject({
        communicationUserId: expect.stringMatching(/^8:acs:/),
        token: expect.any(String),
      })
      for (const [, address] of start.stdout.matchAll(/^(?:open)? +(http\S+)/gm)) {
        const page = await fetch(address!)
        expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<!doctype html>')])
      }
      expect(start.stdout).not.toMatch(wholeToken)
      expect(processesOf(mark).length).toBeGreaterThan(2)
      process.kill(start.pid, signal)
      expect(await start.exit()).toBe(signal === 'SIGINT' ? 0 : null)
      await expect.poll(() => processesOf(mark)).toEqual([])
    }
  },
)

it('says what to do about a port that is taken, a wrong one, and a HOME that is a file', async () => {
  await using taken = await startEmulator()
  const port = new URL(taken.endpoint).port
  const fail = async (...args: string[]) => {
    const { stderr, code } = (await run(process.execPath, [script, '--keep', '--no-pulumi', ...freePorts, ...args], {
      env,
    }).catch((error: unknown) => error)) as { stderr: string; code: number }
    expect(code).toBe(1)
    return stderr
  }
  for (const option of ['--emulator-port', '--port', '--demo-port']) {
    expect(await fail(option, port), option).toMatch(new RegExp(`^acs-kit: .*port ${port} is taken: stop`))
  }
  const home = join(temporaryFolder(), 'file')
  writeFileSync(home, '')
  await expect(
    run(process.execPath, [script, '--no-pulumi'], { env: { ...env, HOME: home, XDG_DATA_HOME: '' } }),
  ).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^acs-kit: ENOTDIR: .*'\S+\/file\/.*': set HOME, XDG_DATA_HOME, .*\n$/),
  })
  expect(await fail('--port', 'http')).toBe('acs-kit: --port must be a number from 0 to 65535, not http\n')
})

const firstOpenPort = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
const hasReservedPorts = process.platform === 'linux' && Number(readFileSync(firstOpenPort, 'utf8')) > 80

it.runIf(hasReservedPorts)('says what to do about a port that only the administrator may take', async () => {
  // As any user, also where the tests run as root.
  const [command, leading] =
    process.getuid!() === 0
      ? ['setpriv', ['--bounding-set=-net_bind_service', process.execPath]]
      : [process.execPath, []]
  for (const option of ['--emulator-port', '--port', '--demo-port']) {
    const args = [...leading, script, '--keep', '--no-pulumi', ...freePorts, option, '80']
    await expect(run(command, args, { env }), option).rejects.toMatchObject({
      code: 1,
      stderr:
        'acs-kit: this user may not listen on port 80: choose one above 1023 with --port, --emulator-port and --demo-port\n',
    })
  }
})

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { findOldNodes } from '@acs-kit/test-support/old-node'
import { decodeJwt } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { wellKnownAccessKey } from '../src/index.ts'
import { trustInProcess } from '../src/tls/trust.ts'
import { send } from './signed-request.ts'
import { temporaryFolder } from './temporary-folder.ts'

const cli = join(import.meta.dirname, '../src/cli.ts')
const quickCheck = join(import.meta.dirname, '../examples/access-tokens.mjs')
const keylessCheck = join(import.meta.dirname, 'programs/keyless.mjs')

/** A shell of somebody who signs in to Azure as a service principal, from behind a proxy, and names another resource. */
const foreign = {
  ...Object.fromEntries(
    ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'].map((name) => [
      name,
      'http://127.0.0.1:9',
    ]),
  ),
  NODE_USE_ENV_PROXY: '1',
  NO_PROXY: 'a.example, localhost',
  no_proxy: 'b.example',
  no_grpc_proxy: 'c.example',
  AZURE_AUTHORITY_HOST: 'login.microsoftonline.us',
  AZURE_CLIENT_ID: 'other',
  AZURE_CLIENT_SECRET: 'other',
  AZURE_TENANT_ID: 'other',
  AZURE_FEDERATED_TOKEN_FILE: '/missing',
  AZURE_TOKEN_CREDENTIALS: 'dev',
  COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: 'endpoint=https://other.example/;accesskey=b3RoZXI=',
  IDENTITY_SERVER_THUMBPRINT: 'other',
}

interface Run {
  readonly process: ChildProcess
  readonly output: { stdout: string; stderr: string }
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

function run(args: readonly string[], environment: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [cli, ...args], { env: { ...process.env, ...environment } })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  const exit = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  onTestFinished(() => void child.kill('SIGKILL'))
  return { process: child, output, exit }
}

/** Starts an emulator and waits for the last line of its greeting. */
async function start(args: readonly string[] = [], environment: Record<string, string> = {}): Promise<Run> {
  const started = run(['start', '--port', '0', ...args], environment)
  while (!/to trust: .*\n/.test(started.output.stdout)) {
    const ended = await Promise.race([once(started.process.stdout!, 'data').then(() => undefined), started.exit])
    if (ended) throw new Error(`ended early: ${started.output.stderr}`)
  }
  return started
}

describe('start', () => {
  it('greets with endpoint, connection string and authority, serves, and ends at a signal', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const { process: child, output, exit } = await start(['--resource', 'contoso', '--resource', 'fabrikam:0'])
      const ready = [
        ...output.stdout.matchAll(/^communication-emulator ready at (\S+) \(connection string: (\S+)\)$/gm),
      ]
      expect(ready).toHaveLength(3)
      const [, endpoint, connectionString] = ready[0]!
      expect(connectionString).toBe(`endpoint=${endpoint};accesskey=${wellKnownAccessKey}`)
      expect(existsSync(/to trust: (.+)\n/.exec(output.stdout)![1]!)).toBe(true)
      child.kill(signal)
      expect(await exit).toEqual({ code: 0, signal: null })
      expect(output.stderr).toBe('')
    }
  })

  it('ends at a signal though a client holds a connection', async () => {
    const { process: child, output, exit } = await start()
    const { port } = new URL(/ready at (\S+)/.exec(output.stdout)![1]!)
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
    child.kill('SIGTERM')
    expect(await exit).toMatchObject({ code: 0 })
  })

  it('never shows a key of the user, and says in one line why it refused a request', async () => {
    const accessKey = Buffer.alloc(64, 9).toString('base64')
    const { output } = await start([], { COMMUNICATION_EMULATOR_ACCESS_KEY: accessKey })
    const endpoint = /ready at (\S+)/.exec(output.stdout)![1]!
    expect(output.stdout).toContain('COMMUNICATION_EMULATOR_ACCESS_KEY')
    const target = '/identities?api-version=2023-10-01'
    trustInProcess(readFileSync(/to trust: (.+)\n/.exec(output.stdout)![1]!, 'utf8'))
    expect(await send(endpoint, { target, accessKey })).toMatchObject({ status: 201 })
    expect(await send(endpoint, { target, accessKey: 'AAAA' })).toMatchObject({ status: 401 })
    await expect
      .poll(() => output.stderr)
      .toMatch(/^communication-emulator: POST \/identities 401 Denied \{"code":"SignatureMismatch".*\}\n$/)
    expect(output.stdout + output.stderr).not.toContain(accessKey)
  })

  it('names the remedy when its port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const { output, exit } = run(['start', '--port', String(port)])
    expect(await exit).toMatchObject({ code: 1 })
    expect(output.stderr).toMatch(new RegExp(`^communication-emulator: port ${port} is in use: .*--port\\n$`))
  })

  it('names the remedy when HOME, or a folder of its options, is a file', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    const home = { HOME: file, XDG_DATA_HOME: '' }
    for (const [option, { output, exit }] of [
      ['--keys or HOME', run(['start', '--port', '0'], home)],
      ['--keys or HOME', run(['env'], home)],
      ['--keys', run(['start', '--keys', file])],
      ['--data', run(['start', '--data', file])],
    ] as const) {
      expect(await exit).toMatchObject({ code: 1 })
      expect(output.stderr).toMatch(
        new RegExp(
          `^communication-emulator: the folder .* cannot be used: E\\w+: .*: choose a folder that you can write to with ${option}\n$`,
        ),
      )
    }
  })

  it('refuses a data folder in use, and bad arguments, in a line', async () => {
    const data = temporaryFolder()
    await start(['--data', data])
    const second = run(['start', '--port', '0', '--data', data])
    expect(await second.exit).toMatchObject({ code: 1 })
    expect(second.output.stderr).toMatch(
      /^communication-emulator: the data folder .*another emulator is using it: stop it, or choose another folder with --data\n$/,
    )
    for (const args of [
      ['--port', 'x'],
      ['--port', '70000'],
      ['--resource', 'a:b:c'],
      ['--resource', 'a b'],
      ['--nothing'],
    ]) {
      const { output, exit } = run(['start', ...args])
      expect(await exit).toMatchObject({ code: 1 })
      expect(output.stderr.trim().split('\n')).toHaveLength(1)
    }
  })
})

it.runIf(process.getuid).each([['start'], ['exec', '--', 'true'], ['env'], ['sign-in', 'alice']])(
  '%s refuses keys that others could replace, in a line',
  async (command, ...args) => {
    const keys = realpathSync(temporaryFolder())
    chmodSync(keys, 0o777)
    const { output, exit } = run([command, '--keys', keys, ...args])
    expect(await exit).toMatchObject({ code: 1 })
    expect(output).toEqual({
      stdout: '',
      stderr: `communication-emulator: ${keys} is writable by other users: run chmod go-w ${keys}, or choose another folder with --keys\n`,
    })
  },
)

describe('exec', () => {
  it('runs an unmodified program against an emulator of its own', async () => {
    const { output, exit } = run(['exec', '--', process.execPath, quickCheck])
    expect(await exit).toEqual({ code: 0, signal: null })
    expect(output.stdout).toMatch(/\ndeleted the identity\n$/)
    expect(output.stderr).toBe('')
  })

  it("exits with the command's code, also when a signal ended it, and passes arguments on as they are", async () => {
    expect(await run(['exec', '--', 'sh', '-c', 'exit 7']).exit).toMatchObject({ code: 7 })
    expect(await run(['exec', '--', 'sh', '-c', 'kill -TERM $$']).exit).toMatchObject({ code: 143 })
    const { output, exit } = run(['exec', '--loose', '--', 'printf', '[%s]', '--port', '-x', 'a b'])
    expect(await exit).toMatchObject({ code: 0 })
    expect(output.stdout).toBe('[--port][-x][a b]')
  })

  it('passes a signal on, and exits as the command does', async () => {
    const script = 'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.05; done'
    const { process: child, output, exit } = run(['exec', '--', 'sh', '-c', script])
    while (!output.stdout.includes('up')) await once(child.stdout!, 'data')
    child.kill('SIGTERM')
    expect(await exit).toMatchObject({ code: 5 })
    expect(output.stdout).toContain('bye')
  })

  it('says so when there is no such command, or none at all', async () => {
    const missing = run(['exec', '--', 'no-such-command'])
    expect(await missing.exit).toMatchObject({ code: 127 })
    expect(missing.output.stderr).toMatch(/^communication-emulator: no-such-command could not be run: .*\n$/)
    expect(await run(['exec']).exit).toMatchObject({ code: 1 })
  })

  it('keeps the certificates that the user trusts already', async () => {
    const own = join(temporaryFolder(), 'own.pem')
    const [root] = rootCertificates
    writeFileSync(own, root!)
    const count = async (variable: string, environment: Record<string, string>) => {
      const names = { NODE_EXTRA_CA_CERTS: '', SSL_CERT_FILE: '', REQUESTS_CA_BUNDLE: '', CURL_CA_BUNDLE: '' }
      const { output, exit } = run(['exec', '--', 'sh', '-c', `cat "$${variable}"`], { ...names, ...environment })
      expect(await exit).toMatchObject({ code: 0 })
      expect(output.stdout).toContain(root)
      return output.stdout.match(/BEGIN CERTIFICATE/g)!.length
    }
    // Node adds the file to its own roots; for the others a file replaces them, and none leaves them.
    expect(await count('NODE_EXTRA_CA_CERTS', { NODE_EXTRA_CA_CERTS: own })).toBe(2)
    expect(await count('SSL_CERT_FILE', { SSL_CERT_FILE: own })).toBe(2)
    expect(await count('CURL_CA_BUNDLE', { CURL_CA_BUNDLE: own })).toBe(2)
    expect(await count('REQUESTS_CA_BUNDLE', { NODE_EXTRA_CA_CERTS: own })).toBeGreaterThan(100)
    expect(await count('REQUESTS_CA_BUNDLE', { REQUESTS_CA_BUNDLE: temporaryFolder() })).toBeGreaterThan(100)
  })

  it('runs an unmodified program in a shell that was set up for another resource, identity and network', async () => {
    for (const program of [quickCheck, keylessCheck]) {
      const { output, exit } = run(['exec', '--', process.execPath, program], foreign)
      expect(await exit).toEqual({ code: 0, signal: null })
      expect(output.stderr).toBe('')
    }
  })

  it('adds loopback to the exceptions of proxies, and keeps those that are there', async () => {
    const names = ['NO_PROXY', 'no_proxy', 'no_grpc_proxy']
    const exceptions = async (environment: Record<string, string>) => {
      const { output, exit } = run(
        ['exec', '--', 'sh', '-c', names.map((name) => `echo "$${name}"`).join(';')],
        environment,
      )
      expect(await exit).toMatchObject({ code: 0 })
      return output.stdout.split('\n').slice(0, 3)
    }
    const loopback = 'localhost,.localhost,127.0.0.1,::1'
    expect(await exceptions({ NO_PROXY: '', no_proxy: '', no_grpc_proxy: '' })).toEqual([loopback, loopback, ''])
    const merged = 'a.example,localhost,b.example,.localhost,127.0.0.1,::1'
    expect(await exceptions(foreign)).toEqual([merged, merged, `c.example,${loopback}`])
    expect(await exceptions({ NO_PROXY: '*', no_proxy: 'b.example' })).toEqual(['*', '*', ''])
  })

  it('may run inside another one', async () => {
    const inner = [process.execPath, cli, 'exec', '--', process.execPath, quickCheck]
    const { output, exit } = run(['exec', '--', ...inner])
    expect(await exit).toMatchObject({ code: 0 })
    expect(output.stderr).toBe('')
  })
})

describe('env', () => {
  it('prints variables that a shell takes', async () => {
    const { output, exit } = run(['env'])
    expect(await exit).toMatchObject({ code: 0 })
    const shell = spawn('sh', ['-c', `${output.stdout}\necho "$COMMUNICATION_SERVICES_CONNECTION_STRING"`])
    const [line] = (await once(shell.stdout, 'data')) as [Buffer]
    expect(line.toString()).toBe(`endpoint=https://localhost:4380/;accesskey=${wellKnownAccessKey}\n`)
    for (const name of ['NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE']) {
      const path = new RegExp(`^export ${name}='(.+)'$`, 'm').exec(output.stdout)![1]!
      expect(readFileSync(path, 'utf8')).toContain('BEGIN CERTIFICATE')
    }
  })

  it('prints variables that work together with the rest of a shell', async () => {
    const { output: started } = await start()
    const [, endpoint = ''] = /ready at (\S+)/.exec(started.stdout)!
    const { output, exit } = run(['env', '--port', new URL(endpoint).port], foreign)
    expect(await exit).toMatchObject({ code: 0 })
    for (const program of [quickCheck, keylessCheck]) {
      const shell = spawn('sh', ['-euc', `${output.stdout}exec "$0" "$1"`, process.execPath, program], {
        env: { ...process.env, ...foreign },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let stderr = ''
      shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
      expect(await once(shell, 'close')).toEqual([0, null])
      expect(stderr).toBe('')
    }
  })

  it('prints them for PowerShell, and for another port', async () => {
    const { output, exit } = run(['env', '--shell', 'powershell', '--port', '5000'])
    expect(await exit).toMatchObject({ code: 0 })
    expect(output.stdout).toContain(
      "$env:COMMUNICATION_SERVICES_CONNECTION_STRING = 'endpoint=https://localhost:5000/;",
    )
    expect(output.stdout).toMatch(/^Remove-Item -ErrorAction Ignore .*Env:AZURE_CLIENT_SECRET, /m)
  })

  it.runIf(process.getuid)('writes nothing that others can read or change, whatever the umask', async () => {
    const folder = join(temporaryFolder(), 'keys')
    const command = [process.execPath, cli, 'env', '--keys', folder].join(' ')
    const shell = spawn('sh', ['-c', `umask 0; ${command}`], { stdio: 'ignore' })
    expect(await once(shell, 'close')).toEqual([0, null])
    for (const path of ['.', ...(readdirSync(folder, { recursive: true }) as string[])])
      expect(statSync(join(folder, path)).mode & 0o077, path).toBe(0)
  })
})

it.each(findOldNodes())('says in a sentence that Node $version is too old', ({ version, command, args }) => {
  const bin = join(import.meta.dirname, '../src/bin.mjs')
  const { status, stdout, stderr } = spawnSync(command, [...args, bin, 'start'], { encoding: 'utf8' })
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: `communication-emulator: Node 24.12 or newer is required, and this is Node ${version}\n`,
  })
})

describe('sign-in', () => {
  it('prints a token of a started emulator, and nothing else', async () => {
    const { output: started } = await start()
    const [, endpoint = ''] = /ready at (\S+)/.exec(started.stdout)!
    const args = ['sign-in', 'alice', '--role', 'admin', '--port', new URL(endpoint).port]
    const { output, exit } = run(args, foreign)
    expect(await exit).toEqual({ code: 0, signal: null })
    expect(decodeJwt(output.stdout.trim())).toMatchObject({ aud: 'api://acs-kit', name: 'alice', roles: ['admin'] })
  })

  it('says what to do where none runs', async () => {
    const { output, exit } = run(['sign-in', 'alice', '--port', '1'])
    expect(await exit).toEqual({ code: 1, signal: null })
    expect(output).toEqual({
      stdout: '',
      stderr:
        'communication-emulator: no emulator is running on port 1: start one with `communication-emulator start`, or set its --port\n',
    })
  })
})

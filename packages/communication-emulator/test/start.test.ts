import { existsSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { decodeJwt } from 'jose'
import { expect, it, onTestFinished } from 'vitest'
import { wellKnownAccessKey } from '../src/index.ts'
import { trustInProcess } from '../src/tls/trust.ts'
import { run, start } from './cli-fixture.ts'
import { ownAddress } from './own-address.ts'
import { send } from './signed-request.ts'

it('prints endpoints, connection strings and the authority, and ends at a signal', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { process: child, output, exit } = await start(['--resource', 'contoso', '--resource', 'fabrikam:0'])
    const ready = [...output.stdout.matchAll(/^communication-emulator ready at (\S+) \(connection string: (\S+)\)$/gm)]
    expect(ready).toHaveLength(3)
    const [, endpoint, connectionString] = ready[0]!
    expect(connectionString).toBe(`endpoint=${endpoint};accesskey=${wellKnownAccessKey}`)
    expect(output.stdout).toContain(`\npage of the emulator: ${endpoint}_emulator/\n`)
    expect(existsSync(/to trust: (.+)\n/.exec(output.stdout)![1]!)).toBe(true)
    child.kill(signal)
    expect(await exit).toEqual({ code: 0, signal: null })
    expect(output.stderr).toBe('')
  }
})

it('ends at a signal while a client has an open connection', async () => {
  const { process: child, endpoint, exit } = await start()
  const socket = connect(Number(endpoint.port), '127.0.0.1')
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  child.kill('SIGTERM')
  expect(await exit).toMatchObject({ code: 0 })
})

it("never prints the user's key, and logs in one line why it rejected a request", async () => {
  const accessKey = Buffer.alloc(64, 9).toString('base64')
  const { output, endpoint } = await start([], { COMMUNICATION_EMULATOR_ACCESS_KEY: accessKey })
  expect(output.stdout).toContain('COMMUNICATION_EMULATOR_ACCESS_KEY')
  const target = '/identities?api-version=2023-10-01'
  trustInProcess(readFileSync(/to trust: (.+)\n/.exec(output.stdout)![1]!, 'utf8'))
  expect(await send(endpoint.href, { target, accessKey })).toMatchObject({ status: 201 })
  expect(await send(endpoint.href, { target, accessKey: 'AAAA' })).toMatchObject({ status: 401 })
  await expect
    .poll(() => output.stderr)
    .toMatch(/^communication-emulator: POST \/identities 401 Denied \{"code":"SignatureMismatch".*\}\n$/)
  expect(output.stdout + output.stderr).not.toContain(accessKey)
})

it.runIf(ownAddress)('serves other machines, and prints the administration token nowhere', async () => {
  const token = 'a-token-of-the-user'
  const keys = temporaryFolder()
  const variables = { COMMUNICATION_EMULATOR_ADMIN_TOKEN: token }
  const options = ['--hostname', ownAddress!, '--hostname', 'emulator.example', '--keys', keys]
  const { output, endpoint } = await start(options, variables)
  const named = `https://emulator.example:${endpoint.port}/`
  const connectionString = `endpoint=${named};accesskey=${wellKnownAccessKey}`
  expect(output.stdout).toContain(`\nfor other machines: ${named} (connection string: ${connectionString})\n`)
  const origin = `https://${ownAddress}:${endpoint.port}`
  const running = ['--port', endpoint.port, '--hostname', ownAddress!, '--keys', keys]
  const environment = run(['env', ...running], { NO_PROXY: '', no_proxy: '' })
  expect(await environment.exit).toMatchObject({ code: 0 })
  expect(environment.output.stdout).toContain(`export COMMUNICATION_SERVICES_ENDPOINT='${origin}/'`)
  expect(environment.output.stdout).toMatch(new RegExp(`^export NO_PROXY='.*,${ownAddress}'$`, 'm'))
  trustInProcess(readFileSync(/to trust: (.+)\n/.exec(output.stdout)![1]!, 'utf8'))
  const { exit, output: signedIn } = run(['sign-in', 'alice', ...running], variables)
  expect(await exit).toMatchObject({ code: 0 })
  expect(decodeJwt(signedIn.stdout.trim()).iss).toContain(`${origin}/`)
  const rejected = run(['sign-in', 'alice', ...running])
  expect(await rejected.exit).toMatchObject({ code: 1 })
  expect(rejected.output.stderr).toContain('token is missing or invalid')
  await fetch(`${origin}/_emulator/identities`, { headers: { authorization: `Bearer ${token}` } })
  const outputs = [output, environment.output, signedIn, rejected.output]
  expect(outputs.map(({ stdout, stderr }) => stdout + stderr).join('')).not.toContain(token)
})

it.each(['env', 'sign-in'])('rejects a hostname that no emulator has: %s', async (command) => {
  const keys = temporaryFolder()
  const user = command === 'sign-in' ? ['alice'] : []
  const { output, exit } = run([command, ...user, '--keys', keys, '--hostname', 'other.example'])
  expect(await exit).toMatchObject({ code: 1 })
  expect(output.stderr).toMatch(
    / has the name other\.example: start the emulator with --hostname other\.example, or set its --keys\n$/,
  )
})

it('suggests another port if its port is in use', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const { output, exit } = run(['start', '--port', String(port)])
  expect(await exit).toMatchObject({ code: 1 })
  expect(output.stderr).toMatch(new RegExp(`^communication-emulator: port ${port} is in use: .*--port\\n$`))
})

it('rejects a data folder in use, and invalid arguments, in one line', async () => {
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

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, realpathSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { findOldNodes } from '@acs-kit/test-support/old-node'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { decodeJwt } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openKeyMaterial } from '../src/tls/key-material.ts'
import { foreignVariables, run, start } from './cli-fixture.ts'

const nameOptions = ['connection-string-as', 'endpoint-as']
const emulatorOptions = [
  'port',
  'host',
  'hostname',
  'admin-token',
  'data',
  'keys',
  'resource',
  'loose',
  'strict',
  'quotas',
]

it.each([
  ['start', emulatorOptions],
  ['exec', [...emulatorOptions, ...nameOptions, 'user']],
  ['env', ['port', 'hostname', 'keys', ...nameOptions, 'shell']],
  ['sign-in', ['audience', 'scope', 'role', 'client-id', 'lifetime', 'port', 'hostname', 'keys', 'admin-token']],
])('lists the options of %s with --help', async (command, options) => {
  const { output, exit } = run([command, '--help'])
  expect(await exit).toMatchObject({ code: 0 })
  expect([...output.stdout.matchAll(/^ +(?:-\w, )?--([\w-]+)/gm)].map(([, name]) => name)).toEqual([...options, 'help'])
})

it('prints its version', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string
  }
  const { output, exit } = run(['--version'])
  expect(await exit).toMatchObject({ code: 0 })
  expect(output.stdout).toBe(`${version}\n`)
})

it.each([['env'], ['sign-in', 'alice']])('rejects port 0 for a running emulator: %s', async (...args) => {
  const { output, exit } = run([...args, '--port', '0'])
  expect(await exit).toMatchObject({ code: 1 })
  expect(output).toEqual({
    stdout: '',
    stderr:
      "error: option '--port <number>' argument '0' is invalid. Use the port that `communication-emulator start` printed.\n",
  })
})

it.runIf(process.getuid).each([['start'], ['exec', '--', 'true'], ['env'], ['sign-in', 'alice']])(
  'rejects keys that other users could replace: %s',
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

it.each([
  [['--host', '192.0.2.1'], '', / 192\.0\.2\.1.*: choose an address of this machine with --host\n$/],
  [[], 'not base64!', / COMMUNICATION_EMULATOR_ACCESS_KEY is not base64: copy the key again, or unset the variable\n$/],
])('names the remedy for an invalid address or access key: %j %j', async (args, accessKey, message) => {
  const { output, exit } = run(['start', '--port', '0', ...args], { COMMUNICATION_EMULATOR_ACCESS_KEY: accessKey })
  expect(await exit).toMatchObject({ code: 1 })
  expect(output.stderr).toMatch(message)
  expect(output.stderr.trim().split('\n')).toHaveLength(1)
})

it.each(findOldNodes())('reports that Node $version is too old', ({ version, command, args }) => {
  const bin = join(import.meta.dirname, '../src/bin.mjs')
  const { status, stdout, stderr } = spawnSync(command, [...args, bin, 'start'], { encoding: 'utf8' })
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: `communication-emulator: Node 22.19, 24.5 or newer is required, and this is Node ${version}: put a newer one first on PATH\n`,
  })
})

describe('sign-in', () => {
  it('prints only a token of the running emulator', async () => {
    const { endpoint } = await start()
    const args = ['sign-in', 'alice', '--role', 'admin', '--port', endpoint.port]
    const { output, exit } = run(args, foreignVariables)
    expect(await exit).toEqual({ code: 0, signal: null })
    expect(decodeJwt(output.stdout.trim())).toMatchObject({ aud: 'api://acs-kit', name: 'alice', roles: ['admin'] })
  })

  it('suggests starting an emulator if none is running', async () => {
    const { output, exit } = run(['sign-in', 'alice', '--port', '1'])
    expect(await exit).toEqual({ code: 1, signal: null })
    expect(output).toEqual({
      stdout: '',
      stderr:
        'communication-emulator: no emulator is running on port 1: start one with `communication-emulator start`, or set its --port, --hostname and --keys\n',
    })
  })

  it('reports that another program uses the port', async () => {
    const { certificate, privateKey } = await openKeyMaterial()
    const server = createServer({ cert: certificate, key: privateKey }, (_request, response) => response.end('hello'))
    onTestFinished(() => void server.close())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const { output, exit } = run(['sign-in', 'alice', '--port', String(port)])
    expect(await exit).toMatchObject({ code: 1 })
    expect(output.stderr).toBe(
      `communication-emulator: no emulator on port ${port}: set --port to the one that \`communication-emulator start\` printed\n`,
    )
  })
})

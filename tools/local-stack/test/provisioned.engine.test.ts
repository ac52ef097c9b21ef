import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { findPulumi } from '@acs-kit/infra/pulumi-cli'
import { Azurite } from '@acs-kit/test-support/azurite'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { ProvisionedStack } from '../src/provisioned-stack.ts'
import { Site } from '../src/site.ts'
import { startForeignEnvironment } from './foreign-environment.ts'
import { processesOf } from './processes.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')
const source = (name: string) => join(import.meta.dirname, '../src', name)
const { COMMUNICATION_SERVICES_CONNECTION_STRING: _, ...environment } = process.env
const cli = await findPulumi()
if (!cli) process.stdout.write('NOT RUN: engine tests, no Pulumi CLI (pnpm pulumi:cli)\n')
const isNeeded = process.env['COMMUNICATION_TEST_PULUMI'] === 'required'

afterEach(() => void vi.unstubAllEnvs())

/** Where everything of a run is kept. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'acs-kit-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What there is in a folder, all of it. */
function textsIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}

function commandLines(): string {
  const lines = readdirSync('/proc').map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    } catch {
      return ''
    }
  })
  return lines.join('\n')
}

async function storageKeysOf({ endpoint, entra, resourceManager }: Emulator): Promise<string[]> {
  const account = resourceManager.resources().find(({ id }) => id.type === 'Microsoft.Storage/storageAccounts')!
  const { accessToken } = await entra.signIn({ user: 'a', audience: 'https://management.azure.com' })
  const headers = { Authorization: `Bearer ${accessToken}` }
  const url = new URL(`${account.id.id}/listKeys?api-version=2025-01-01`, endpoint)
  const answer = await fetch(url, { method: 'POST', headers })
  return ((await answer.json()) as { keys: { value: string }[] }).keys.map(({ value }) => value)
}

describe.runIf(cli !== undefined || isNeeded)('with a Pulumi CLI', () => {
  it.each([
    ['npm start', 'start.ts', [], /^Deleted the identity with ID/m],
    ['pnpm up:local --once --keyless', 'up-local.ts', ['--once', '--keyless'], /^Left out: it takes a connection/m],
  ])(
    '%s shows the whole life in a shell set up for other programs, from up to destroy, and leaves nothing',
    async (_name, script, args, quickstart) => {
      const folder = temporaryFolder()
      await using foreign = await startForeignEnvironment()
      const env = { ...environment, ...foreign.variables, TMPDIR: folder }
      const { stdout, stderr } = await run(process.execPath, [source(script), ...args], { env })
      for (const line of [
        /^pulumi up: genuine engine, stand-in provider, emulated Azure/m,
        /^ {2}CommunicationService +[\d.]+ s {2}created$/m,
        /^ {2}ready +[\d.]+ s /m,
        /^ {2}voip token +[\d.]+ s {2}eyJ/m,
        /^ {2}deleted +[\d.]+ s {2}the identity/m,
        quickstart,
        /^ {2}destroyed +[\d.]+ s {2}[89] resources$/m,
        /^ {2}left +[\d.]+ s {2}nothing/m,
      ]) {
        expect(stdout).toMatch(line)
      }
      expect(stderr).toBe('')
      expect(foreign.proxied).toBe(0)
      expect(readdirSync(folder)).toEqual([])
      expect(processesOf(folder)).toEqual([])
    },
  )

  it('pnpm up:local stays up until it is stopped, and destroys everything then', async () => {
    const folder = temporaryFolder()
    await using up = await ServerProcess.start({
      script: source('up-local.ts'),
      args: ['--port', '0', '--emulator-port', '0', '--demo-port', '0'],
      env: { ...environment, TMPDIR: folder },
      ready: /^call .*\n/m,
    })
    const { stdout } = await run('bash', ['-c', /^call +(.*)$/m.exec(up.stdout)![1]!], { cwd: root })
    expect(JSON.parse(stdout)).toMatchObject({ communicationUserId: expect.stringMatching(/^8:acs:/) })
    const [, page] = /^open +(\S+)/m.exec(up.stdout)!
    expect(await (await fetch(page!)).text()).toContain('<!doctype html>')
    process.kill(up.pid, 'SIGINT')
    expect(await up.exit()).toBe(0)
    expect(up.stdout).toMatch(/^ {2}left +[\d.]+ s {2}nothing/m)
    expect(readdirSync(folder)).toEqual([])
    expect(processesOf(folder)).toEqual([])
  })

  it('leaves nothing when it is stopped during an up', async () => {
    const folder = temporaryFolder()
    const up = ServerProcess.launch({
      script: source('up-local.ts'),
      args: ['--once'],
      env: { ...environment, TMPDIR: folder },
    })
    await expect.poll(() => up.stdout, { interval: 5 }).toMatch(/ResourceGroup .* created/)
    process.kill(up.pid, 'SIGTERM')
    expect(await up.exit()).toBe(1)
    expect(up.stderr).toBe('acs-kit: interrupted\n')
    expect(readdirSync(folder)).toEqual([])
    expect(processesOf(folder)).toEqual([])
  })

  it.runIf(process.platform === 'linux')(
    'keeps its secrets in memory; the service outlives its resource, and refuses without falling over',
    async () => {
      vi.stubEnv('TMPDIR', temporaryFolder())
      let output = ''
      const hear = (text: string) => void (output += text)
      await using stack = await ProvisionedStack.start({
        cli: cli!,
        ports: { emulator: 0, service: 0 },
        onLog: hear,
        onStep: (what, text) => hear(`${what} ${text}`),
      })
      const { engine, emulator, service } = stack
      const askAs = async (user: string) => {
        const { accessToken } = await emulator.entra.signIn({ user })
        const headers = { Authorization: `Bearer ${accessToken}` }
        return { accessToken, answer: await fetch(new URL('/v1/token', service.url), { method: 'POST', headers }) }
      }
      const { accessToken, answer: issued } = await askAs('carol')
      const { token } = (await issued.json()) as { token: string }
      const { primaryKey, secondaryKey, connectionString } = stack.outputs
      expect(connectionString).toBe(emulator.resources.at(-1)!.connectionString)
      expect(await storageKeysOf(emulator)).toEqual(Azurite.accountKeys)
      const places = { files: textsIn(process.env['TMPDIR']!), commands: commandLines(), output }
      for (const [place, text] of Object.entries(places)) {
        expect(text.length, place).toBeGreaterThan(500)
        for (const secret of [primaryKey, secondaryKey, token, accessToken, ...Azurite.accountKeys]) {
          expect(text.includes(secret!), `a secret in ${place}`).toBe(false)
        }
      }

      await engine.destroy()
      const { answer } = await askAs('dave')
      expect([answer.status, answer.headers.get('Content-Type')]).toEqual([503, expect.stringMatching(/problem/)])
      expect((await fetch(new URL('/healthz', service.url))).status).toBe(200)
      await stack.destroy()
    },
  )
})

it('says in a line why nothing is provisioned, and goes on with the emulator’s default resource', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/pulumi'), '#!/bin/sh\necho v3.1.0\n')
  chmodSync(join(folder, 'bin/pulumi'), 0o755)
  const env = { ...environment, TMPDIR: folder, PATH: join(folder, 'bin') }
  const { stdout } = await run(process.execPath, [source('start.ts')], { env })
  expect(stdout).toMatch(
    /^Nothing is provisioned, the emulator's default resource is used: .*version 3\.1\.0, need >= 3\.74/,
  )
  expect(stdout).toMatch(/^ {2}deleted /m)
  await expect(run(process.execPath, [source('up-local.ts'), '--once'], { env })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^acs-kit: .*need >= 3\.74.*\n$/),
  })
})

it('starts the site with what was recorded only: a missing setting is one, whatever the environment has', async () => {
  await using emulator = await startEmulator()
  const { accessToken } = await emulator.entra.signIn({ user: 'a', audience: 'https://management.azure.com' })
  const put = async (path: string, apiVersion: string, body: object) => {
    const url = new URL(
      `/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g${path}`,
      emulator.endpoint,
    )
    url.searchParams.set('api-version', apiVersion)
    const answer = await fetch(url, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ location: 'westeurope', ...body }),
    })
    expect(answer.ok).toBe(true)
  }
  await put('', '2024-03-01', {})
  const issuers = [{ issuer: emulator.entra.issuer, audience: 'api://acs-kit' }]
  await put('/providers/Microsoft.Web/sites/site', '2025-05-01', {
    properties: {
      siteConfig: {
        linuxFxVersion: 'NODE|24-lts',
        appCommandLine: 'node server.js',
        appSettings: [
          { name: 'SIGN_IN_ISSUERS', value: JSON.stringify(issuers) },
          { name: 'COMMUNICATION_SERVICES_CONNECTION_STRING', value: emulator.connectionString },
        ],
      },
    },
  })
  vi.stubEnv('IDENTITY_STORE_ENDPOINT', 'https://127.0.0.1:1/devstoreaccount1')
  await expect(Site.start({ emulator, port: 0 })).rejects.toThrow(/IDENTITY_STORE_ENDPOINT is missing/)
})

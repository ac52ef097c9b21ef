import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { delimiter, dirname, join } from 'node:path'
import { startEmulator } from '@acs-kit/communication-emulator'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import { regenerateKey } from '../rotation/access-keys.ts'
import { verifyService } from '../rotation/verification.ts'
import { runCommand } from './run-command.ts'

const resource = {
  id: '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g/providers/Microsoft.Communication/communicationServices/acs',
  type: 'CommunicationService',
  name: 'acs',
  apiVersion: '2026-03-18',
}
const now = new Date().toISOString()
const secret = (text: string) => ({ '4dabf18193072939515e22adb298388d': '', plaintext: JSON.stringify(text) })
const outputs = {
  tokenServiceUrl: 'https://site.example',
  connectionString: secret('endpoint=https://acs.example/;accesskey=cHJpbWFyeQ=='),
  secondaryConnectionString: secret('endpoint=https://acs.example/;accesskey=c2Vjb25kYXJ5'),
}

interface FakeStack {
  readonly resources?: readonly object[]
  readonly outputs?: object
  readonly config?: Readonly<Record<string, unknown>>
  /** Pages, latest update first. */
  readonly history?: readonly (readonly object[])[]
  /** Module that the command loads first. */
  readonly preload?: string
}

/** Runs the command with a stand-in for a Pulumi CLI that shows this stack, and fails to preview or change it. */
function rotate({ resources = [resource], config = {}, history = [], ...stack }: FakeStack, ...args: string[]) {
  const folder = temporaryFolder()
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const write = (name: string, content: unknown) => writeFileSync(join(folder, name), JSON.stringify(content))
  const created = resources.map((each) => ({ ...each, type: 'azure-native:communication:CommunicationService' }))
  const root = { type: 'pulumi:pulumi:Stack', outputs: stack.outputs ?? outputs }
  write('state', { deployment: { resources: [root, ...created] } })
  write(
    'config',
    Object.fromEntries(
      Object.entries(config).map(([name, value]) => [
        `acs-kit:${name}`,
        { value: typeof value === 'string' ? value : JSON.stringify(value), secret: false },
      ]),
    ),
  )
  for (const page of [1, 2, 3]) write(`history-${page}`, history[page - 1] ?? [])
  const script = `
    case "$*" in
      version) echo v3.270.0;;
      'stack export '*) cat '${folder}/state';;
      'stack history '*' --page '*) cat "${folder}/history-$(echo "$*" | sed 's/.* --page \\([0-9]*\\).*/\\1/')";;
      'config --show-secrets '*) cat '${folder}/config';;
      'config rm '*) ;;
      *) echo "error: no call of $1" >&2; exit 1;;
    esac`
  writeFileSync(join(bin, 'pulumi'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin, 'pulumi'), 0o755)
  return runCommand('rotate', ['dev', ...args], {
    PATH: [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(stack.preload ?? '')}`,
  })
}

it.each<[string, FakeStack, RegExp]>([
  ['a stack that is not deployed', { resources: [] }, /^stack dev is not deployed: run `pulumi up` in infra\/$/],
  [
    'a keyless stack',
    { outputs: { tokenServiceUrl: 'https://site.example' } },
    /^stack dev is keyless: it has no access key to rotate$/,
  ],
  [
    'a configuration that is not the deployed one',
    { outputs: { ...outputs, activeKey: 'secondary' } },
    /^the deployed service prefers the secondary key, but activeKey is primary: get the configuration of stack dev/,
  ],
  [
    'a malformed record',
    { config: { rotation: { key: 'tertiary' } } },
    /^acs-kit:rotation is not in the form in which `npm run rotate` writes it: restore it, or remove it to start over$/,
  ],
  [
    'a record of the active key',
    { config: { activeKey: 'secondary', rotation: { key: 'secondary' } } },
    /^acs-kit:rotation replaces the secondary key, which is active: set activeKey to primary, or remove rotation$/,
  ],
  ['a preview that fails', {}, /^pulumi preview failed, correct this and run the command again: no call of preview$/],
])('rejects %s in one line', async (_name, stack, message) => {
  const { code, stderr } = await rotate(stack)
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^rotate: .*\n$/)])
  expect(stderr.slice('rotate: '.length, -1)).toMatch(message)
})

const waiting = {
  outputs: { ...outputs, activeKey: 'secondary' },
  config: { activeKey: 'secondary', rotation: { key: 'primary', switchedAt: now } },
}
const update = (activeKey: string, endTime: string) => ({
  kind: 'update',
  startTime: endTime,
  endTime,
  config: { 'acs-kit:activeKey': { value: activeKey } },
})

it('exits with 2 while tokens of the former key may be valid, and says when to continue', async () => {
  const history = [[update('primary', '2026-01-01T00:00:00Z')]]
  const { code, stdout, stderr } = await rotate({ ...waiting, history })
  const dueAt = new Date(Date.parse(now) + 25 * 60 * 60_000).toISOString()
  expect([code, stderr]).toEqual([2, ''])
  expect(stdout).toContain(`Run \`npm run rotate -- dev\` again after ${dueAt} to continue.\n`)
})

it('states the consequences of replacing a leaked key, and changes nothing without confirmation', async () => {
  const { code, stdout, stderr } = await rotate({}, '--now', 'primary')
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^rotate: .*pass --yes \(nothing was changed\)\n$/)])
  expect(stdout).toMatch(/all tokens that were issued with it stop working.*continues with the secondary key/s)
  const confirmed = await rotate({}, '--now', 'primary', '--yes')
  expect(confirmed.stderr).toMatch(/^rotate: pulumi preview failed/)
})

it('keeps running with --wait, and continues when the tokens of the former key have expired', async () => {
  const dueAt = Date.parse(now) + 25 * 60 * 60_000
  // A clock that stands still, shortly before that time, until the command waits.
  const preload = `
    let waitsSince
    Date.now = () => ${dueAt - 300} + (waitsSince === undefined ? 0 : performance.now() - waitsSince)
    const write = process.stdout.write.bind(process.stdout)
    process.stdout.write = (text) => {
      if (text.startsWith('Waiting')) waitsSince = performance.now()
      return write(text)
    }`
  const { code, stdout, stderr } = await rotate({ ...waiting, preload }, '--wait')
  expect(stdout).toContain(`Waiting until ${new Date(dueAt).toISOString()}.\n`)
  expect([code, stderr]).toEqual([1, expect.stringMatching(/pulumi preview failed/)])
})

it.each<[string, FakeStack]>([
  ['is deployed', { outputs: { ...outputs, activeKey: 'primary' } }],
  [
    'was deployed before the last 50 updates',
    {
      history: [Array.from({ length: 50 }, () => update('secondary', '2100-01-02')), [update('primary', '2100-01-01')]],
    },
  ],
])('starts the wait over if the former key %s', async (_name, stack) => {
  const { stdout } = await rotate({ ...waiting, ...stack })
  expect(stdout).toMatch(/Another `pulumi up` has made the service prefer the primary key again: the wait starts over/)
})

it('names the service or the key that does not work', async () => {
  await using emulator = await startEmulator()
  const { connectionString: primary, secondaryConnectionString: secondary } = emulator.resources[0]!
  let status = 503
  await using service = await listenLocally(
    createServer((_request, response) => response.writeHead(status).end('{"status":"not-ready"}')),
  )
  const verify = (serviceUrl: string) =>
    verifyService({ serviceUrl, connectionStrings: { primary, secondary } }, { timeoutMs: 0, intervalMs: 1 })
  const serviceUrl = `http://127.0.0.1:${service.port}`
  await expect(verify(serviceUrl)).rejects.toThrow(/readyz responded with 503 \{"status":"not-ready"\}$/)
  await expect(verify('http://127.0.0.1:1')).rejects.toThrow(/no response from http:\/\/127\.0\.0\.1:1\/readyz: /)
  status = 200
  await expect(verify(serviceUrl)).resolves.toBeUndefined()
  emulator.resources[0]!.regenerateKey('secondary')
  await expect(verify(serviceUrl)).rejects.toThrow(/ACS rejects the secondary key of the last `pulumi up`$/)
})

it.each([
  [403, /^the primary key was not regenerated, .*: access denied to acs: you need the role Contributor on it$/],
  [409, /^the primary key was not regenerated, .*: https:\/\/localhost:\d+ responded with 409 InjectedFault: /],
])('explains a response with %i to the regeneration', async (status, message) => {
  await using emulator = await startEmulator()
  emulator.faults.add({ operation: 'armAction', status })
  const { accessToken } = await emulator.entra.signIn({ user: 'a', audience: 'https://management.azure.com' })
  const credential = { getToken: async () => ({ token: accessToken, expiresOnTimestamp: Date.now() + 60_000 }) }
  const cloud = { metadataHost: emulator.endpoint }
  await expect(regenerateKey('primary', resource, cloud, credential)).rejects.toThrow(message)
})

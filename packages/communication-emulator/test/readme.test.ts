import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import * as surface from '../src/index.ts'
import { start } from './cli-fixture.ts'

const run = promisify(execFile)
const hasNamespaces = await run('unshare', ['-rm', 'mount', '--bind', '/etc/hosts', '/etc/hosts']).then(
  () => true,
  () => false,
)
if (!hasNamespaces) process.stdout.write('NOT RUN: names of containers, no unshare for this user\n')

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

it('shows tests that compile and pass', async () => {
  const examples = [...readme.matchAll(/```ts\n([^]*?)```/g)].map(([, example]) => example!)
  const folder = temporaryFolder()
  // A project in which the package's own name resolves as for its users.
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@acs-kit'), { recursive: true })
  symlinkSync(root, join(modules, '@acs-kit/communication-emulator'))
  for (const name of ['@azure', '@types', 'vitest']) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  for (const [index, example] of examples.entries()) writeFileSync(join(folder, `example-${index}.test.ts`), example)
  const configuration = { extends: join(root, '../../tsconfig.base.json'), include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration))
  const exec = (...args: string[]) => run('pnpm', ['exec', ...args], { cwd: root })
  await exec('tsc', '-p', folder)
  const { stdout } = await exec('vitest', 'run', '--root', folder)
  expect(stdout).toMatch(/Tests .*3 passed/)
})

it('shows the well-known connection string', () => {
  expect(readme).toContain(surface.wellKnownConnectionString)
})

it.runIf(hasNamespaces)('shows variables that work in a container', async () => {
  const compose = /```yaml\n([^]*?)```/.exec(readme)![1]!
  const keys = temporaryFolder()
  const readVariable = (name: string) => new RegExp(` ${name}: (.+)`).exec(compose)![1]!.replace('/keys', keys)
  const hostname = / --hostname (\S+)/.exec(compose)![1]!
  const { endpoint } = await start(['--hostname', hostname, '--keys', keys])
  const hosts = join(temporaryFolder(), 'hosts')
  writeFileSync(hosts, `127.0.0.1 ${hostname}\n`)
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"'
  const command = ['-rm', 'sh', '-ec', script, hosts, process.execPath, join(root, 'examples/access-tokens.mjs')]
  const variable = 'COMMUNICATION_SERVICES_CONNECTION_STRING'
  const { stdout } = await run('unshare', command, {
    env: {
      ...process.env,
      [variable]: readVariable(variable).replace(':4380', `:${endpoint.port}`),
      NODE_EXTRA_CA_CERTS: readVariable('NODE_EXTRA_CA_CERTS'),
    },
  })
  expect(stdout).toMatch(/\ndeleted the identity\n$/)
})

it('pins the exports of the package', () => {
  expect(Object.keys(surface).toSorted()).toMatchInlineSnapshot(`
    [
      "InvalidSettingError",
      "UnusableFolderError",
      "defaultResourceName",
      "documentedQuotas",
      "startEmulator",
      "wellKnownAccessKey",
      "wellKnownClientSecret",
      "wellKnownConfidentialClientId",
      "wellKnownConnectionString",
      "wellKnownPort",
      "wellKnownPublicClientId",
      "wellKnownTenantId",
    ]
  `)
})

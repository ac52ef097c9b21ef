import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import * as surface from '../src/index.ts'

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
  const run = (...args: string[]) => promisify(execFile)('pnpm', ['exec', ...args], { cwd: root })
  await run('tsc', '-p', folder)
  const { stdout } = await run('vitest', 'run', '--root', folder)
  expect(stdout).toMatch(/Tests .*3 passed/)
})

it('shows the well-known connection string', () => {
  expect(readme).toContain(surface.wellKnownConnectionString)
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

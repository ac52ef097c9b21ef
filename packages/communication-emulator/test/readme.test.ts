import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import * as surface from '../src/index.ts'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

it('shows a test that compiles and passes', async () => {
  const [, example] = /```ts\n([^]*?)```/.exec(readme)!
  // Inside the package, where its own name resolves as for its users.
  const folder = mkdtempSync(join(root, 'test/.readme-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'example.test.ts'), example!)
  writeFileSync(join(folder, 'tsconfig.json'), '{ "extends": "../../../../tsconfig.base.json", "include": ["*.ts"] }')
  const run = (...args: string[]) => promisify(execFile)('pnpm', ['exec', ...args], { cwd: root })
  await run('tsc', '-p', folder)
  const { stdout } = await run('vitest', 'run', '--root', folder)
  expect(stdout).toMatch(/1 passed/)
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

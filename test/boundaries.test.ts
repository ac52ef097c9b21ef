import { execFile } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)

/** A copy of what git tracks, in which a test may do what it must not do here. */
async function copyWorkspace(): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), 'acs-kit-boundaries-'))
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }))
  const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root })
  for (const file of stdout.trim().split('\n')) cpSync(join(root, file), join(copy, file))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  await run('git', ['init', '--quiet'], { cwd: copy })
  return copy
}

async function findViolations(copy: string): Promise<string> {
  const turbo = join(root, 'node_modules/.bin/turbo')
  const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', NO_COLOR: '1' }
  try {
    await run(turbo, ['boundaries', '--no-color'], { cwd: copy, env: environment })
    return ''
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    return stdout + stderr
  }
}

function addImport(copy: string, room: string, imported: string, { isDeclared = true } = {}): void {
  appendFileSync(join(copy, room, 'src/forbidden.ts'), `import * as forbidden from '${imported}'\nvoid forbidden\n`)
  if (!isDeclared) return
  const path = join(copy, room, 'package.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { dependencies?: Record<string, string> }
  writeFileSync(
    path,
    JSON.stringify({ ...manifest, dependencies: { ...manifest.dependencies, [imported]: 'workspace:*' } }),
  )
}

it('hold as things are', async () => {
  expect(await findViolations(await copyWorkspace())).toBe('')
})

it.each([
  ['a package imports an app', 'packages/communication-identity', '@acs-kit/quickstart'],
  ['an app imports an app', 'apps/quickstart', '@acs-kit/bench'],
  ['the emulator imports what is ours', 'packages/communication-emulator', '@acs-kit/communication-identity'],
])('report that %s', async (_what, room, imported) => {
  const copy = await copyWorkspace()
  addImport(copy, room, imported)
  expect(await findViolations(copy)).toContain(imported)
})

it('report an import of what is not declared', async () => {
  const copy = await copyWorkspace()
  addImport(copy, 'packages/communication-identity', 'commander', { isDeclared: false })
  expect(await findViolations(copy)).toContain('commander')
})

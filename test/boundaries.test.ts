import { execFile } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)

/** A copy of the sources, in which a test may do what it must not do here. */
function copyWorkspace(): string {
  const copy = mkdtempSync(join(tmpdir(), 'acs-kit-boundaries-'))
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }))
  for (const name of [
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'turbo.json',
    'apps',
    'infra',
    'packages',
    'tools',
  ]) {
    cpSync(join(root, name), join(copy, name), { recursive: true, filter: isSource })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

// Names with a dot are caches, or folders that another room's test is about to remove.
function isSource(path: string): boolean {
  return !/^(?:node_modules|dist|coverage|\..*)$/.test(basename(path))
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

interface Import {
  readonly room: string
  readonly imported: string
  readonly isDeclared?: boolean
}

function addImport(copy: string, { room, imported, isDeclared = true }: Import): void {
  appendFileSync(join(copy, room, 'forbidden.ts'), `import * as forbidden from '${imported}'\nvoid forbidden\n`)
  if (!isDeclared) return
  const path = join(copy, room, 'package.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { dependencies?: Record<string, string> }
  writeFileSync(
    path,
    JSON.stringify({ ...manifest, dependencies: { ...manifest.dependencies, [imported]: 'workspace:*' } }),
  )
}

it('hold as things are', async () => {
  expect(await findViolations(copyWorkspace())).toBe('')
})

it('do not mind what is allowed', async () => {
  const copy = copyWorkspace()
  addImport(copy, { room: 'apps/quickstart', imported: '@acs-kit/test-support' })
  addImport(copy, { room: 'packages/communication-emulator', imported: '@acs-kit/test-support' })
  addImport(copy, { room: 'tools/drills', imported: '@acs-kit/bench' })
  expect(await findViolations(copy)).toBe('')
})

// The tags have to say so: a cycle, which some of these are as well, would be reported without them.
it.each([
  ['packages/communication-identity', '@acs-kit/quickstart', 'with tag listed in denylist'],
  ['packages/token-client', '@acs-kit/infra', 'with tag listed in denylist'],
  ['packages/token-contract', '@acs-kit/bench', 'with tag listed in denylist'],
  ['apps/quickstart', '@acs-kit/web-demo', 'with tag listed in denylist'],
  ['apps/quickstart', '@acs-kit/infra', 'with tag listed in denylist'],
  ['apps/token-service', '@acs-kit/local-stack', 'with tag listed in denylist'],
  ['infra', '@acs-kit/local-stack', 'with tag listed in denylist'],
  ['infra', '@acs-kit/token-service', 'with tag listed in denylist'],
  ['packages/communication-emulator', '@acs-kit/communication-identity', 'without any tag listed in allowlist'],
  ['packages/communication-emulator', '@acs-kit/quickstart', 'without any tag listed in allowlist'],
  ['tools/test-support', '@acs-kit/communication-emulator', 'without any tag listed in allowlist'],
])('report that %s imports %s', async (room, imported, reason) => {
  const copy = copyWorkspace()
  addImport(copy, { room, imported })
  const violation = `Package \`${imported}\` found ${reason} for \`@acs-kit/${basename(room)}\``
  expect(unwrap(await findViolations(copy))).toContain(unwrap(violation))
})

it.each([
  ['commander', 'cannot import package `commander` because it is not a dependency'],
  ['../../communication-emulator/src/index.ts', '`../../communication-emulator/src/index.ts` leaves the package'],
])('report an import of %s, which is not declared', async (imported, violation) => {
  const copy = copyWorkspace()
  addImport(copy, { room: 'packages/communication-identity', imported, isDeclared: false })
  expect(unwrap(await findViolations(copy))).toContain(unwrap(violation))
})

// A room without its tag would be outside of all of this.
it.each(globSync('{infra,{apps,packages,tools}/*}/package.json', { cwd: root }).map((path) => dirname(path)))(
  'know %s',
  (room) => {
    const { tags } = JSON.parse(withoutComments(readFileSync(join(root, room, 'turbo.json'), 'utf8'))) as {
      tags: string[]
    }
    const own = { 'communication-emulator': 'emulator', 'test-support': 'test-support', infra: 'infra' }[basename(room)]
    const shared = { apps: 'app', packages: 'library', tools: 'tool' }[dirname(room)]
    expect(tags).toEqual([own ?? shared])
  },
)

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\/.*$/gm, '')
}

/** turbo breaks its lines anywhere, and draws a bar before them. */
function unwrap(text: string): string {
  return text.replaceAll(/[\s|]+/g, '')
}

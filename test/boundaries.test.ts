import { execFile } from 'node:child_process'
import { cpSync, globSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'

const root = join(import.meta.dirname, '..')
const packages = globSync('{infra,{apps,packages,tools}/*}/package.json', { cwd: root }).map((path) => dirname(path))
const run = promisify(execFile)

/** A copy of the sources that tests may change. Each restores it. */
const copy = new TemporaryFolder()
beforeAll(() => {
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
    cpSync(join(root, name), copy.join(name), { recursive: true, filter: isSource })
  }
  symlinkSync(join(root, 'node_modules'), copy.join('node_modules'))
})
afterAll(() => copy[Symbol.dispose]())

// Names with a dot are caches, or temporary folders of other tests.
function isSource(path: string): boolean {
  return !/^(?:node_modules|dist|lib|coverage|\..*)$/.test(basename(path))
}

async function findViolations(): Promise<string> {
  const turbo = join(root, 'node_modules/.bin/turbo')
  const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', NO_COLOR: '1' }
  try {
    await run(turbo, ['boundaries', '--no-color'], { cwd: copy.path, env: environment })
    return ''
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    return stdout + stderr
  }
}

function readManifest(folder: string) {
  const text = readFileSync(resolve(root, folder, 'package.json'), 'utf8')
  return JSON.parse(text) as { name: string; dependencies?: Record<string, string> }
}

interface Import {
  readonly folder: string
  readonly imported: string
  readonly isDeclared?: boolean
}

/** Adds an import until the current test has finished. */
function addImport({ folder, imported, isDeclared = true }: Import): void {
  const source = copy.join(folder, 'forbidden.ts')
  writeFileSync(source, `import * as forbidden from '${imported}'\nvoid forbidden\n`)
  onTestFinished(() => rmSync(source))
  if (!isDeclared) return
  const path = copy.join(folder, 'package.json')
  const manifest = readManifest(folder)
  const dependencies = { ...manifest.dependencies, [imported]: 'workspace:*' }
  writeFileSync(path, JSON.stringify({ ...manifest, dependencies }))
  onTestFinished(() => cpSync(join(root, folder, 'package.json'), path))
}

it('reports nothing for the sources as they are', async () => {
  expect(await findViolations()).toBe('')
})

it('accepts allowed imports', async () => {
  addImport({ folder: 'apps/quickstart', imported: '@acs-kit/test-support' })
  addImport({ folder: 'packages/communication-emulator', imported: '@acs-kit/test-support' })
  addImport({ folder: 'tools/drills', imported: '@acs-kit/bench' })
  addImport({ folder: 'apps/web-demo', imported: 'fastify-communication-tokens' })
  expect(await findViolations()).toBe('')
})

// The expected reasons name the tags: some of these imports are also cycles, which turbo reports without tags.
it.each([
  ['packages/communication-identity', '@acs-kit/quickstart', 'with tag listed in denylist'],
  ['packages/token-client', '@acs-kit/infra', 'with tag listed in denylist'],
  ['packages/token-contract', '@acs-kit/bench', 'with tag listed in denylist'],
  ['apps/quickstart', '@acs-kit/web-demo', 'with tag listed in denylist'],
  ['apps/quickstart', '@acs-kit/infra', 'with tag listed in denylist'],
  ['apps/token-service', '@acs-kit/local-stack', 'with tag listed in denylist'],
  ['infra', '@acs-kit/local-stack', 'with tag listed in denylist'],
  ['infra', 'fastify-communication-tokens', 'with tag listed in denylist'],
  ['packages/communication-emulator', '@acs-kit/communication-identity', 'without any tag listed in allowlist'],
  ['packages/communication-emulator', '@acs-kit/quickstart', 'without any tag listed in allowlist'],
  ['tools/test-support', '@acs-kit/communication-emulator', 'without any tag listed in allowlist'],
])('reports that %s imports %s', async (folder, imported, reason) => {
  addImport({ folder, imported })
  const violation = `Package \`${imported}\` found ${reason} for \`${readManifest(folder).name}\``
  expect(unwrap(await findViolations())).toContain(unwrap(violation))
})

it.each([
  ['commander', 'cannot import package `commander` because it is not a dependency'],
  ['../../communication-emulator/src/index.ts', '`../../communication-emulator/src/index.ts` leaves the package'],
])('reports an undeclared import of %s', async (imported, violation) => {
  addImport({ folder: 'packages/communication-identity', imported, isDeclared: false })
  expect(unwrap(await findViolations())).toContain(unwrap(violation))
})

// turbo reads only import statements. A path into another package would bypass its exports.
it.each(packages)('finds no path into another package in %s', (folder) => {
  expect(findForeignPaths(root, folder)).toEqual([])
})

it.each([
  "new URL('../../token-service/src/server.ts', import.meta.url)",
  "import.meta.resolve('../../../packages/token-client/src/index.ts')",
  "join(root, 'infra/index.ts')",
])('finds the path in %s', (code) => {
  const path = copy.join('apps/quickstart/src/path.ts')
  writeFileSync(path, code)
  onTestFinished(() => rmSync(path))
  expect(findForeignPaths(copy.path, 'apps/quickstart')).toHaveLength(1)
})

/** The built package of the service, which infra deploys. */
const servicePackage = 'apps/token-service/dist.zip'

function findForeignPaths(workspace: string, folder: string): string[] {
  const getOwner = (path: string) => packages.find((each) => path === each || path.startsWith(`${each}/`))
  const files = globSync(`${folder}/**/*.{ts,mjs,cjs}`, { cwd: workspace, exclude: (name) => !isSource(name) })
  return files.flatMap((file) => {
    const text = readFileSync(join(workspace, file), 'utf8')
    const literals = [...text.matchAll(/['"`]((?:\.\.?|apps|packages|tools|infra)\/[\w./${}-]*)['"`]/g)]
    return literals
      .map(([, literal]) => (literal!.startsWith('.') ? join(dirname(file), literal!) : literal!))
      .filter((path) => (getOwner(path) ?? folder) !== folder && path !== servicePackage)
      .map((path) => `${file}: ${path}`)
  })
}

it.each(
  Object.entries({
    'apps/quickstart': ['communication-emulator', 'communication-identity'],
    // Its tarball contains the private packages that it imports.
    'apps/token-service': ['communication-identity'],
    'apps/web-demo': ['token-client'],
    infra: ['communication-identity', 'service-settings'],
    'packages/communication-emulator': [],
    'packages/communication-identity': [],
    'packages/service-settings': ['communication-identity'],
    'packages/token-client': [],
    'packages/token-contract': [],
  }),
)('allows %s to depend on %j only', (folder, names) => {
  const { dependencies = {} } = readManifest(folder)
  const own = Object.keys(dependencies).filter((name) => name.startsWith('@acs-kit/'))
  expect(own).toEqual(names.map((name) => `@acs-kit/${name}`))
})

// turbo treats devDependencies as dependencies, so its tags cannot tell tests from what ships.
it.each(packages.filter((folder) => !folder.startsWith('tools/')))('finds no fixture in what ships of %s', (folder) => {
  const { dependencies = {} } = readManifest(folder)
  expect(Object.keys(dependencies)).not.toContain('@acs-kit/test-support')
  const files = globSync(`${folder}/**/*.{ts,mjs}`, { cwd: root, exclude: (name) => !isSource(name) })
  const shipped = files.filter((file) => !file.startsWith(`${folder}/test/`))
  expect(shipped.filter((file) => readFileSync(join(root, file), 'utf8').includes('@acs-kit/test-support'))).toEqual([])
})

// A package without a tag would escape these rules.
it.each(packages)('requires the tag of %s', (folder) => {
  const { tags } = JSON.parse(withoutComments(readFileSync(join(root, folder, 'turbo.json'), 'utf8'))) as {
    tags: string[]
  }
  const own = {
    'token-service': 'service',
    'communication-emulator': 'emulator',
    'test-support': 'test-support',
    infra: 'infra',
  }[basename(folder)]
  const shared = { apps: 'app', packages: 'library', tools: 'tool' }[dirname(folder)]
  expect(tags).toEqual([own ?? shared])
})

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\/.*$/gm, '')
}

/** Removes the line breaks and bars of turbo's output. */
function unwrap(text: string): string {
  return text.replaceAll(/[\s|]+/g, '')
}

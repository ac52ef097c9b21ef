import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'

const script = join(import.meta.dirname, '../scripts/publish-dry-run.mjs')
const complete = {
  name: 'a',
  version: '1.0.0',
  description: 'A package',
  keywords: ['a'],
  license: 'MIT',
  files: ['dist', 'CHANGELOG.md'],
  sideEffects: false,
  exports: './dist/index.js',
  publishConfig: { access: 'public', provenance: true },
  engines: { node: '>=22' },
}
const files = {
  'dist/index.js': '',
  'dist/index.d.ts': '',
  'README.md': '# a\n',
  'CHANGELOG.md': '# a\n\n## 1.0.0\n\nFirst version.\n',
}

/** Returns what the script prints about a package. */
async function check(manifest: object, added: Record<string, string> = {}): Promise<string> {
  const folder = temporaryFolder()
  const contents = { ...files, ...added, 'package.json': JSON.stringify(manifest) }
  for (const [path, content] of Object.entries(contents)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  const env = { ...process.env, npm_config_registry: 'http://127.0.0.1:9/' }
  const failed = await promisify(execFile)(process.execPath, [script], { cwd: folder, env }).then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  )
  return failed.trim()
}

it('accepts a complete package', async () => {
  expect(await check(complete)).toBe('')
})

it.each<[string, object, Record<string, string>]>([
  [
    'dist/.env must not be published: exclude it in `files`\na: dist/old.tgz must not be published: exclude it in `files`',
    complete,
    { 'dist/.env': '', 'dist/old.tgz': '' },
  ],
  [
    'src/index.ts must not be published: exclude it in `files`',
    { ...complete, files: ['src', 'CHANGELOG.md'] },
    { 'src/index.ts': '' },
  ],
  ['`engines` is missing in package.json: add it', { ...complete, engines: undefined }, {}],
  [
    '`publishConfig.provenance` is missing in package.json: add it',
    { ...complete, publishConfig: { access: 'public' } },
    {},
  ],
  [
    'the changelog of 1.1.0 is missing: add it to CHANGELOG.md, and the file to `files`',
    { ...complete, version: '1.1.0' },
    {},
  ],
  [
    'the changelog of 1.0.0 is missing: add it to CHANGELOG.md, and the file to `files`',
    { ...complete, files: ['dist'] },
    {},
  ],
  [
    'b is private, and not on npm: remove it from `dependencies`',
    { ...complete, dependencies: { b: 'workspace:*' } },
    { 'node_modules/b/package.json': '{ "name": "b", "version": "1.0.0", "private": true }' },
  ],
])('reports: %s', async (message, manifest, added) => {
  expect(await check(manifest, added)).toBe(`a: ${message}`)
})

it('reports why pnpm rejects a package', async () => {
  expect(await check({ ...complete, name: undefined })).toContain('not publishable: ')
})

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'

const script = join(import.meta.dirname, '../scripts/pack.mjs')

it('restores package.json, even if npm was interrupted while it packed before', async () => {
  const folder = temporaryFolder()
  const read = () => readFileSync(join(folder, 'package.json'), 'utf8')
  const manifest = { name: 'a', version: '1.0.0', exports: './src/a.ts', publishConfig: { exports: './dist/a.js' } }
  const original = JSON.stringify(manifest)
  mkdirSync(join(folder, 'src'))
  const compilerOptions = { rootDir: 'src', outDir: 'dist', types: [], module: 'nodenext' }
  const files = {
    'package.json': original,
    LICENSE: 'MIT',
    'src/a.ts': 'export const a = 1\n',
    'tsconfig.build.json': JSON.stringify({ compilerOptions, include: ['src'] }),
  }
  for (const [path, content] of Object.entries(files)) writeFileSync(join(folder, path), content)
  const run = (event: string) => {
    const env = { ...process.env, npm_lifecycle_event: event, npm_execpath: '/npm/bin/npm-cli.js' }
    return promisify(execFile)(process.execPath, [script], { cwd: folder, env })
  }
  await run('prepack')
  await run('prepack')
  expect(JSON.parse(read())).toMatchObject({ exports: './dist/a.js' })
  await run('postpack')
  expect(read()).toBe(original)
  expect(existsSync(join(folder, 'package.workspace.json'))).toBe(false)
})

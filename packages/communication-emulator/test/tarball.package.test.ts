import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { findOldNodes } from '@acs-kit/test-support/old-node'
import { expect, it } from 'vitest'
import { temporaryFolder } from './temporary-folder.ts'

const root = join(import.meta.dirname, '..')
const workspace = join(root, '../..')
const run = (cwd: string, command: string, ...args: string[]) => promisify(execFile)(command, args, { cwd })

/** Packs a copy of the package, since packing with npm replaces package.json for a moment. Returns the path of the tarball. */
async function pack(packageManager: string): Promise<string> {
  const copy = temporaryFolder()
  const folder = join(copy, 'packages/communication-emulator')
  for (const file of ['package.json', 'pnpm-workspace.yaml', 'tsconfig.base.json', 'LICENSE', 'scripts/pack.mjs'])
    cpSync(join(workspace, file), join(copy, file))
  for (const file of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md', 'src'])
    cpSync(join(root, file), join(folder, file), { recursive: true })
  symlinkSync(join(workspace, 'node_modules'), join(copy, 'node_modules'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const manifest = readFileSync(join(folder, 'package.json'), 'utf8')
  await run(folder, packageManager, 'pack', '--pack-destination', copy)
  expect(readFileSync(join(folder, 'package.json'), 'utf8')).toBe(manifest)
  return join(copy, 'acs-kit-communication-emulator-0.1.0.tgz')
}

// Installed in another project; only its dependencies are linked from this workspace.
it.each(['npm', 'pnpm'])('works when packed with %s: command, module and types', async (packageManager) => {
  const project = temporaryFolder()
  const modules = join(project, 'node_modules')
  const installed = join(modules, '@acs-kit/communication-emulator')
  mkdirSync(installed, { recursive: true })
  await run(project, 'tar', 'xzf', await pack(packageManager), '-C', installed, '--strip-components', '1')
  expect(existsSync(join(installed, 'LICENSE'))).toBe(true)
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    bin: Record<string, string>
    dependencies: Record<string, string>
  }
  for (const name of [...Object.keys(manifest.dependencies), '@azure/communication-identity', '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  const command = join(installed, manifest.bin['communication-emulator']!)
  writeFileSync(join(project, 'app.mjs'), readFileSync(join(import.meta.dirname, '../examples/access-tokens.mjs')))
  const { stdout } = await run(project, process.execPath, command, 'exec', '--', process.execPath, 'app.mjs')
  expect(stdout).toMatch(/\ndeleted the identity\n$/)
  for (const old of findOldNodes()) {
    await expect(run(project, old.command, ...old.args, command, 'start')).rejects.toMatchObject({
      code: 1,
      stderr: `communication-emulator: Node 24.12 or newer is required, and this is Node ${old.version}\n`,
    })
  }

  writeFileSync(
    join(project, 'app.mts'),
    `import { startEmulator } from '@acs-kit/communication-emulator'
     await using emulator = await startEmulator()
     const text: string = emulator.connectionString
     // @ts-expect-error -- neither a number nor any
     const number: number = emulator.connectionString
     console.log(text.length > 0, number)`,
  )
  const flags = [
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--lib',
    'es2024,esnext.disposable',
    '--strict',
    '--types',
    'node',
  ]
  await run(project, join(root, '../../node_modules/.bin/tsc'), ...flags, 'app.mts')
  expect((await run(project, process.execPath, 'app.mjs')).stdout).toMatch(/^true endpoint=/)
})

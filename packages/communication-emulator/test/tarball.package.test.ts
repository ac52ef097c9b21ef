import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { findOldNodes } from '@acs-kit/test-support/old-node'
import { packCopy } from '@acs-kit/test-support/pack'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const run = (cwd: string, command: string, ...args: string[]) => promisify(execFile)(command, args, { cwd })

// Installed in another project; only its dependencies are linked from this workspace.
it.each(['npm', 'pnpm'])('works when packed with %s: command, module and types', async (packageManager) => {
  const project = temporaryFolder()
  const modules = join(project, 'node_modules')
  const installed = join(modules, '@acs-kit/communication-emulator')
  mkdirSync(installed, { recursive: true })
  const tarball = await packCopy(root, packageManager, temporaryFolder())
  await run(project, 'tar', 'xzf', tarball, '-C', installed, '--strip-components', '1')
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
  writeFileSync(
    join(project, 'page.mjs'),
    `for (const file of ['', 'page/main.mjs', 'page/tsconfig.json'])
       console.log((await fetch(process.env.COMMUNICATION_SERVICES_ENDPOINT + '_emulator/' + file)).status)`,
  )
  const page = await run(project, process.execPath, command, 'exec', '--', process.execPath, 'page.mjs')
  expect(page.stdout).toBe('200\n200\n404\n')
  expect(existsSync(join(installed, 'page/tsconfig.json'))).toBe(false)
  for (const old of findOldNodes()) {
    await expect(run(project, old.command, ...old.args, command, 'start')).rejects.toMatchObject({
      code: 1,
      stderr: `communication-emulator: Node 24.12 or newer is required, and this is Node ${old.version}: put a newer one first on PATH\n`,
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

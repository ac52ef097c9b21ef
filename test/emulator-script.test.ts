import { execFile } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const pinned = join(root, 'node_modules/.bin')

const bin = join(root, 'packages/communication-emulator/src/bin.mjs')
/** npm's configuration, in which the caller's own variables cannot be told from those that npm adds. */
const npmConfiguration = /^(?:COLOR|EDITOR|npm_config_(?!local_prefix|node_gyp|user_agent).*)$/

// `turbo` is on PATH twice: in the workspace and in the caller's folder.
it.each([
  ['pnpm', join(pinned, 'pnpm'), ['--dir', root, '--silent', 'emulator']],
  ['npm', 'npm', ['--prefix', root, 'run', '--silent', 'emulator', '--']],
])("`%s run emulator exec` runs programs with the caller's folder and environment", async (_name, command, args) => {
  const programs = temporaryFolder()
  writeFileSync(join(programs, 'turbo'), '#!/bin/sh\nexec env\n')
  chmodSync(join(programs, 'turbo'), 0o755)
  const callers = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.startsWith(root))
  const path = [programs, ...callers].join(delimiter)
  const { HOME, XDG_DATA_HOME } = process.env
  for (const own of [{}, { NODE_PATH: programs, npm_config_fund: 'false', PNPM_HOME: programs }]) {
    const seenBy = async (program: string, leading: readonly string[]) => {
      const { stdout } = await promisify(execFile)(program, [...leading, 'exec', '--', 'turbo'], {
        cwd: programs,
        env: { HOME, XDG_DATA_HOME, PATH: path, ...own },
      })
      return new Map(stdout.split('\n').map((line) => [line.split('=', 1)[0]!, line.slice(line.indexOf('=') + 1)]))
    }
    const seen = await seenBy(command, args)
    const expected = await seenBy(process.execPath, [bin])
    expect(
      [...seen.keys()].filter((name) => !expected.has(name) && !npmConfiguration.test(name) && name !== '_'),
    ).toEqual([])
    expect(Object.fromEntries(seen)).toMatchObject({ PATH: path, PWD: programs, ...own })
  }
})

import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

const root = join(import.meta.dirname, '..')
const pinned = join(root, 'node_modules/.bin')

// `turbo` is on PATH twice: in the workspace, and as the caller's own.
it.each([
  ['pnpm', join(pinned, 'pnpm'), ['--silent', 'emulator']],
  ['npm', 'npm', ['run', '--silent', 'emulator', '--']],
])("`%s run emulator exec` finds programs as its caller's shell does", async (_name, command, args) => {
  const programs = mkdtempSync(join(tmpdir(), 'acs-kit-programs-'))
  onTestFinished(() => rmSync(programs, { recursive: true, force: true }))
  writeFileSync(join(programs, 'turbo'), '#!/bin/sh\necho "$PATH"\n')
  chmodSync(join(programs, 'turbo'), 0o755)
  const callers = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.startsWith(root))
  const path = [programs, ...callers].join(delimiter)
  const { stdout } = await promisify(execFile)(command, [...args, 'exec', '--', 'turbo'], {
    cwd: root,
    env: { ...process.env, PATH: path },
  })
  expect(stdout).toBe(`${path}\n`)
})

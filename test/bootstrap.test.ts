import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it, onTestFinished } from 'vitest'

const root = join(import.meta.dirname, '..')
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { packageManager: string }

/** A clone without installed packages, as far as the script can see. */
function createClone(): string {
  const clone = temporaryFolder()
  mkdirSync(join(clone, 'scripts'))
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'scripts/bootstrap.mjs']) {
    copyFileSync(join(root, file), join(clone, file))
  }
  return clone
}

function writeProgram(folder: string, name: string, script: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, name), 0o755)
}

/** Adds a pnpm that installs nothing and runs `script` in place of a script of the root. */
function installPnpm(clone: string, script: string): void {
  mkdirSync(join(clone, 'node_modules/pnpm'), { recursive: true })
  mkdirSync(join(clone, 'node_modules/.pnpm'), { recursive: true })
  copyFileSync(join(clone, 'pnpm-lock.yaml'), join(clone, 'node_modules/.pnpm/lock.yaml'))
  writeFileSync(
    join(clone, 'node_modules/pnpm/package.json'),
    JSON.stringify({ version: packageManager.split('@')[1] }),
  )
  writeProgram(join(clone, 'node_modules/.bin'), 'pnpm', `[ "$1" = install ] && exit 0\n${script}`)
}

interface BootstrapOptions {
  readonly environment?: NodeJS.ProcessEnv
  readonly flags?: readonly string[]
}

function bootstrap(clone: string, args: readonly string[], { environment = {}, flags = [] }: BootstrapOptions = {}) {
  const child = spawn(process.execPath, [...flags, join(clone, 'scripts/bootstrap.mjs'), ...args], {
    env: { ...process.env, ...environment },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  const exit = once(child, 'close').then(([code]) => ({ ...output, code: code as number | null }))
  return { child, output, exit }
}

it('runs a script with the pinned tools first on PATH, its arguments and its exit code', async () => {
  const clone = createClone()
  installPnpm(clone, 'echo "$@"; echo "$PATH"; exit 3')
  const { stdout, stderr, code } = await bootstrap(clone, ['quickstart', '--redact']).exit
  const [words, path] = stdout.split('\n')
  expect(words).toBe('--silent run quickstart --redact')
  expect(path!.split(delimiter)[0]).toBe(join(clone, 'node_modules/.bin'))
  expect({ stderr, code }).toEqual({ stderr: '', code: 3 })
})

it('says that it updates the packages if the lockfile has changed since', async () => {
  const clone = createClone()
  installPnpm(clone, 'exit 0')
  appendFileSync(join(clone, 'pnpm-lock.yaml'), '# changed\n')
  const { stderr, code } = await bootstrap(clone, ['quickstart']).exit
  expect({ stderr, code }).toEqual({
    stderr: 'acs-kit: updating the packages, since the lockfile has changed\n',
    code: 0,
  })
})

it.each([
  ['local', true],
  ['tools/local-stack/src/dev.ts', true],
  ['verify', false],
])('keeps compiled code in a folder of the user for %s: %s', async (script, isCached) => {
  const clone = createClone()
  installPnpm(clone, 'echo "$NODE_COMPILE_CACHE"')
  writeProgram(join(clone, 'node_modules/.bin'), 'node', 'echo "$NODE_COMPILE_CACHE"')
  const environment = { XDG_CACHE_HOME: clone, NODE_COMPILE_CACHE: undefined }
  const { stdout } = await bootstrap(clone, [script], { environment }).exit
  expect(stdout).toBe(isCached ? `${clone}/acs-kit/node\n` : '\n')
})

it('runs a file with the pinned Node, its arguments and its exit code', async () => {
  const clone = createClone()
  installPnpm(clone, 'exit 1')
  writeProgram(join(clone, 'node_modules/.bin'), 'node', 'echo "$@"; exit 3')
  const { stdout, code } = await bootstrap(clone, ['tools/start.ts', '--keep']).exit
  expect({ stdout, code }).toEqual({ stdout: `${join(clone, 'tools/start.ts')} --keep\n`, code: 3 })
})

it('completes an interrupted installation before it runs a file', async () => {
  const clone = createClone()
  const node = join(clone, 'node_modules/.bin/node')
  installPnpm(clone, 'exit 1')
  const install = `printf '#!/bin/sh\\necho started' > '${node}'; chmod +x '${node}'`
  writeProgram(join(clone, 'node_modules/.bin'), 'pnpm', install)
  expect(await bootstrap(clone, ['tools/start.ts']).exit).toMatchObject({ stdout: 'started\n', code: 0 })
})

it('forwards a signal and exits with the code of the script', async () => {
  const clone = createClone()
  installPnpm(clone, 'trap "exit 5" TERM; echo up; while :; do sleep 0.05; done')
  const { child, output, exit } = bootstrap(clone, ['quickstart'])
  while (!output.stdout.includes('up')) await once(child.stdout, 'data')
  child.kill('SIGTERM')
  expect(await exit).toMatchObject({ code: 5 })
})

it('stops the script when npm is terminated, which does not forward the signal', async () => {
  const clone = createClone()
  installPnpm(clone, 'trap "echo ended; exit 5" TERM; echo up; while :; do sleep 0.05; done')
  // Like npm, with a shell in between.
  const command = `'${process.execPath}' '${join(clone, 'scripts/bootstrap.mjs')}' quickstart; :`
  const shell = spawn('sh', ['-c', command], { env: { ...process.env, npm_lifecycle_event: 'quickstart' } })
  let stdout = ''
  shell.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  while (!stdout.includes('up')) await once(shell.stdout, 'data')
  shell.kill('SIGTERM')
  // The script keeps the pipe open until it exits.
  await once(shell, 'close')
  expect(stdout).toContain('ended')
})

it.each([
  ['npm error code ENOSPC', 'the disk is full'],
  ['npm error code EACCES', 'no permission to write'],
  ['npm error code ENOTDIR', 'check HOME'],
  ['ENOENT: no such file or directory, mkdir /h/.npm', 'check HOME'],
  ['Failed to read pnpm-workspace.yaml: Not a directory (os error 20)', 'check HOME'],
  ['npm error code ENOTFOUND', 'npm registry unreachable'],
  ['ERR_PNPM_OUTDATED_LOCKFILE', 'does not match the package.json files'],
  ['something else', 'see the lines above'],
])('prints a remedy for %j', async (words, remedy) => {
  const clone = createClone()
  const programs = join(clone, 'programs')
  writeProgram(programs, 'npx', `echo "${words}" >&2; exit 1`)
  const environment = { PATH: `${programs}${delimiter}${process.env['PATH']}` }
  const { stderr, code } = await bootstrap(clone, ['verify'], { environment }).exit
  expect(code).toBe(1)
  expect(stderr).toMatch(/^acs-kit: installing the locked packages/)
  expect(stderr).toContain(words)
  expect(stderr.trim().split('\n').at(-1)).toContain(remedy)
})

it.each([{}, { npm_config_loglevel: 'silent' }])(
  'prints a remedy for a missing network, with the real npx and %j',
  async (own) => {
    const clone = createClone()
    const home = join(clone, 'home')
    mkdirSync(home)
    const environment = {
      HOME: home,
      XDG_CACHE_HOME: home,
      XDG_DATA_HOME: home,
      npm_config_cache: join(home, 'npm'),
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_fetch_retries: '0',
      ...own,
    }
    const { stderr, code } = await bootstrap(clone, ['verify'], { environment }).exit
    expect(code).toBe(1)
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^acs-kit: .*npm registry unreachable: check the network/)
  },
)

it('rejects an old Node and names the required one', async () => {
  const flags = [
    '--import',
    `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.0' } })`,
  ]
  const { stderr, code } = await bootstrap(createClone(), ['verify'], { flags }).exit
  expect(code).toBe(1)
  expect(stderr.trim()).toBe(
    'acs-kit: Node 18.20.0 is too old: install Node 20 or newer; everything else is installed for you',
  )
})

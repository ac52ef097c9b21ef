import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it, onTestFinished } from 'vitest'

// The bootstrap with the genuine pnpm and Node that this workspace pins, linked so that no network is needed.
const root = join(import.meta.dirname, '..')
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { packageManager: string }
const nodeVersion = /^ {2}node: (\S+)$/m.exec(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'))![1]!

const probe = `
const [verb, ...args] = process.argv.slice(2)
const print = (value) => process.stdout.write(JSON.stringify(value) + '\\n')
if (verb === 'stay') {
  let count = 0
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.on(name, () => {
      count++
      setTimeout(() => { print(name + ' ' + count); process.exit(9) }, 300)
    })
  }
  setTimeout(() => {}, 60_000)
}
print({ args, version: process.version, path: process.env.PATH })
if (verb === 'fail') process.exit(7)
`

function createClone() {
  const clone = realpathSync(temporaryFolder())
  const link = (name: string) => `link:${realpathSync(join(root, 'node_modules', name))}`
  const manifest = {
    name: 'clone',
    private: true,
    packageManager,
    scripts: { probe: 'node probe.mjs' },
    devDependencies: { node: link('node'), pnpm: link('pnpm') },
  }
  mkdirSync(join(clone, 'scripts'))
  copyFileSync(join(root, 'scripts/bootstrap.mjs'), join(clone, 'scripts/bootstrap.mjs'))
  writeFileSync(join(clone, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(clone, 'pnpm-workspace.yaml'), 'pmOnFail: ignore\n')
  writeFileSync(join(clone, 'probe.mjs'), probe)
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    npm_config_registry: 'http://127.0.0.1:9/',
    XDG_CACHE_HOME: join(clone, 'home'),
    XDG_DATA_HOME: join(clone, 'home'),
    XDG_STATE_HOME: join(clone, 'home'),
  }
  return { clone, manifest, environment }
}

function createInstalledClone() {
  const created = createClone()
  const { clone: cwd, environment: env } = created
  execFileSync(join(root, 'node_modules/.bin/pnpm'), ['install', '--no-frozen-lockfile'], { cwd, env, stdio: 'pipe' })
  return created
}

function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(command, args, { env })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  const exit = once(child, 'close').then(([code]) => ({ ...output, code: code as number | null }))
  const printed = async (words: string) => {
    while (!output.stdout.includes(words)) await once(child.stdout, 'data')
  }
  return { child, exit, printed }
}

function bootstrap({ clone, environment }: ReturnType<typeof createClone>, args: readonly string[]) {
  return start(process.execPath, [join(clone, 'scripts/bootstrap.mjs'), ...args], environment)
}

it('runs a script with unchanged arguments and returns its exit code', async () => {
  const created = createInstalledClone()
  const args = ['--redact', 'a b', '$HOME', "it's", '*', '']
  const { stdout, stderr, code } = await bootstrap(created, ['probe', 'fail', ...args]).exit
  expect({ stderr, code }).toEqual({ stderr: '', code: 7 })
  const seen = JSON.parse(stdout) as { args: string[]; version: string; path: string }
  expect(seen).toMatchObject({ args, version: `v${nodeVersion}` })
  expect(seen.path.split(delimiter)[0]).toBe(join(created.clone, 'node_modules/.bin'))
})

it('rejects an outdated lockfile and prints a remedy', async () => {
  const created = createInstalledClone()
  const dependencies = { 'no-such-package': '1.0.0' }
  writeFileSync(join(created.clone, 'package.json'), JSON.stringify({ ...created.manifest, dependencies }))
  const { stdout, stderr, code } = await bootstrap(created, ['probe']).exit
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
  expect(stderr.trim().split('\n').at(-1)).toMatch(/^acs-kit: .*does not match the package\.json files: run /)
})

it.each(['SIGINT', 'SIGTERM'] as const)('forwards %s once and waits for the script to end', async (signal) => {
  const { child, exit, printed } = bootstrap(createInstalledClone(), ['probe', 'stay'])
  await printed('version')
  child.kill(signal)
  const { stdout, code } = await exit
  expect(stdout).toContain(`"${signal} 1"`)
  // pnpm reports the signal that it received instead of the script's code, except for Ctrl+C.
  expect(code).toBe(signal === 'SIGINT' ? 9 : 143)
})

it.runIf(process.platform === 'linux')('lets the script clean up after Ctrl+C in a terminal', async () => {
  const { clone, environment } = createInstalledClone()
  const command = `'${process.execPath}' scripts/bootstrap.mjs probe stay; echo "ended with $?"`
  // `script` provides a terminal. The shell in between keeps running, as a person's own shell does.
  const shell = `cd '${clone}'; set -m; trap : INT; ${command}`
  const type = async () => {
    const env = { ...environment, SHELL: '/bin/sh' }
    const { child, exit, printed } = start('script', ['--quiet', '--command', shell, '/dev/null'], env)
    await printed('version')
    child.stdin.write('\u0003')
    return (await exit).stdout
  }
  // Several runs, because a second SIGINT might arrive too late to do harm in one of them.
  for (const stdout of await Promise.all(Array.from({ length: 8 }, type))) {
    expect(stdout).toMatch(/"SIGINT 1"\s+ended with 9\s+$/)
  }
})

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('ends on %s during the installation and leaves nothing running', async (signal, status) => {
  const created = createClone()
  const programs = join(created.clone, 'programs')
  mkdirSync(programs)
  const script = `#!/bin/sh
trap 'touch "$0.ended"; exit 1' INT TERM
touch "$0.started"
while [ -e "$0" ]; do sleep 0.05; done
`
  writeFileSync(join(programs, 'npx'), script, { mode: 0o755 })
  created.environment['PATH'] = `${programs}${delimiter}${process.env['PATH']}`
  const { child, exit } = bootstrap(created, ['probe'])
  await expect.poll(() => existsSync(join(programs, 'npx.started'))).toBe(true)
  child.kill(signal)
  const { stderr, code } = await exit
  expect(code).toBe(status)
  expect(existsSync(join(programs, 'npx.ended'))).toBe(true)
  expect(stderr).toMatch(/^acs-kit: installing the locked packages.*\n$/)
})

// `npm start` and `npm test` on a machine that has only Node 20 and npm: brings the locked packages, the pinned pnpm and
// Node 24 among them, then runs a script of the root's package.json under those. It has no dependencies of its own.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = join(root, 'node_modules', '.bin')
const isWindows = process.platform === 'win32'
const [script, ...rest] = process.argv.slice(2)

const remedies = [
  [/ENOSPC|no space left/i, 'the disk is full: free about 2 GB and run the same command again'],
  [/EACCES|EPERM|permission denied/i, `this user may not write there: check who owns ${root} and the npm cache`],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|FETCH_FAIL|META_FETCH|error sending request|dns error/i,
    'the npm registry could not be reached: check the network, or the proxy and registry settings in .npmrc, and run the same command again',
  ],
  [
    /OUTDATED_LOCKFILE/,
    'pnpm-lock.yaml does not fit the package.json files: run `npx pnpm install` and commit the lockfile',
  ],
]

function fail(cause, detail = '') {
  process.stderr.write(`${detail}\nacs-kit: ${cause}\n`)
  process.exit(1)
}

function install() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const installed = join(root, 'node_modules', 'pnpm', 'package.json')
  const isPinned =
    existsSync(installed) && `pnpm@${JSON.parse(readFileSync(installed, 'utf8')).version}` === packageManager
  if (!isPinned) {
    process.stderr.write('acs-kit: fetching the locked packages and Node 24, once; this takes up to a minute\n')
  }
  // With everything in place pnpm sees so by itself, without the network, in a tenth of a second.
  const [command, ...before] = isPinned ? [join(bin, 'pnpm')] : ['npx', '--yes', packageManager]
  const { status, error, stdout, stderr } = spawnSync(command, [...before, 'install', '--frozen-lockfile'], {
    cwd: root,
    encoding: 'utf8',
    shell: isWindows,
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status === 0) return
  const output = `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`
  const remedy = remedies.find(([pattern]) => pattern.test(output))?.[1]
  fail(`the packages could not be installed: ${remedy ?? 'the lines above say why'}`, output.slice(-4000))
}

if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`this is Node ${process.versions.node}; Node 20 or newer is needed, and it brings the rest itself`)
}
install()

const child = spawn(join(bin, 'pnpm'), ['--silent', 'run', script, ...rest], {
  cwd: root,
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, TURBO_TELEMETRY_DISABLED: '1' },
  shell: isWindows,
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => fail(`pnpm could not be started: ${error.message}`))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
})

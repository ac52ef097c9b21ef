// `npm start` and `npm test` on a machine that has only Node 20 and npm: brings the locked packages, the pinned pnpm and
// Node 24 among them, then runs a script of the root's package.json under those. It has no dependencies of its own.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { isatty } from 'node:tty'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = join(root, 'node_modules', '.bin')
const isWindows = process.platform === 'win32'
const [script, ...rest] = process.argv.slice(2)

const remedies = [
  [/ENOSPC|no space left/i, 'the disk is full: free about 2 GB and run the same command again'],
  [
    /EACCES|EPERM|EROFS|ENOTDIR|permission denied|read-only file system|not a directory/i,
    `this user may not write there: check HOME, and who owns ${root} and the npm cache`,
  ],
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
  process.stderr.write(`${detail && `${detail}\n`}acs-kit: ${cause}\n`)
  process.exit(1)
}

// A terminal sends Ctrl+C to all of its programs by itself, and at a second one pnpm leaves without what it runs.
const isOnTerminal = [0, 1, 2].some(isatty)
let child
let endedBy
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    endedBy ??= signal
    if (!isOnTerminal || signal === 'SIGTERM') child?.kill(signal)
  })
}

function run(start, command, args, options) {
  child = start(command, args, { cwd: root, ...options })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve) => {
    child.on('error', ({ message }) => resolve({ code: 1, output: message }))
    child.on('close', (code, signal) => resolve({ code: code ?? codeOf(signal), output }))
  })
}

function codeOf(signal) {
  return 128 + constants.signals[signal]
}

async function install() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const installed = join(root, 'node_modules', 'pnpm', 'package.json')
  const isPinned =
    existsSync(installed) && `pnpm@${JSON.parse(readFileSync(installed, 'utf8')).version}` === packageManager
  if (!isPinned) {
    process.stderr.write('acs-kit: fetching the locked packages and Node 24, once; this takes up to a minute\n')
  }
  // With everything in place pnpm sees so by itself, without the network, in a tenth of a second.
  const [command, ...before] = isPinned ? [join(bin, 'pnpm')] : ['npx', '--yes', packageManager]
  const note = setTimeout(() => {
    if (isPinned) process.stderr.write('acs-kit: the packages changed, bringing them up to date\n')
  }, 1500)
  // On Windows both are scripts, which only a shell runs, and it splits paths at spaces.
  const program = isWindows ? `"${command}"` : command
  const { code, output } = await run(spawn, program, [...before, 'install', '--frozen-lockfile'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: isWindows,
  })
  clearTimeout(note)
  if (endedBy) process.exit(codeOf(endedBy))
  if (code === 0) return
  const remedy = remedies.find(([pattern]) => pattern.test(output))?.[1]
  fail(`the packages could not be installed: ${remedy ?? 'the lines above say why'}`, output.slice(-4000))
}

if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`this is Node ${process.versions.node}; Node 20 or newer is needed, and it brings the rest itself`)
}
await install()

// From the packages that are there by now; it quotes arguments for Windows.
const start = isWindows ? (await import('cross-spawn')).default : spawn
const { code, output } = await run(start, join(bin, 'pnpm'), ['--silent', 'run', script, ...rest], {
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, TURBO_TELEMETRY_DISABLED: '1' },
  stdio: 'inherit',
})
if (output) fail(`pnpm could not be started: ${output}`)
process.exitCode = code

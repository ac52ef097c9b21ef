// Commands on a machine with only Node 20 and npm: installs the locked packages, which include the pinned pnpm and Node 24,
// then runs a script of the root's package.json, or a file, with them. For a file it installs only what is missing
// altogether, so that a command does not change the packages under a running one. It has no dependencies itself.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants, homedir } from 'node:os'
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
    /EACCES|EPERM|EROFS|ENOTDIR|ENOENT.*mkdir|permission denied|read-only file system|not a directory/i,
    `no permission to write: check HOME and the owner of ${root} and of the npm cache`,
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|FETCH_FAIL|META_FETCH|error sending request|dns error/i,
    'npm registry unreachable: check the network and the proxy and registry settings in .npmrc, then run the same command again',
  ],
  [
    /OUTDATED_LOCKFILE/,
    'pnpm-lock.yaml does not match the package.json files: run `npx pnpm install` and commit the lockfile',
  ],
]

function fail(cause, detail = '') {
  process.stderr.write(`${detail && `${detail}\n`}acs-kit: ${cause}\n`)
  process.exit(1)
}

// A terminal sends Ctrl+C to all of its programs. On a second SIGINT, pnpm exits without waiting for the script.
const isOnTerminal = [0, 1, 2].some(isatty)
let child
let endedBy
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    endedBy ??= signal
    if (!isOnTerminal || signal === 'SIGTERM') child?.kill(signal)
  })
}
// When npm is terminated, its shell exits without forwarding the signal.
const parent = process.ppid
if (process.env.npm_lifecycle_event !== undefined) {
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 250).unref()
}

function run(start, command, args, options) {
  child = start(command, args, { cwd: root, ...options })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve) => {
    child.on('error', ({ message }) => resolve({ code: 1, output: message }))
    child.on('close', (code, signal) => resolve({ code: code ?? toExitCode(signal), output }))
  })
}

function toExitCode(signal) {
  return 128 + constants.signals[signal]
}

const isFile = /\.m?[jt]s$/.test(script)
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const installed = join(root, 'node_modules', 'pnpm', 'package.json')
const isPinned =
  existsSync(installed) && `pnpm@${JSON.parse(readFileSync(installed, 'utf8')).version}` === packageManager

const lockfiles = ['pnpm-lock.yaml', 'node_modules/.pnpm/lock.yaml'].map((path) => join(root, path))

/** pnpm keeps a copy of the lockfile that it installed. */
function isLockfileInstalled() {
  const [wanted, current] = lockfiles.map((path) => existsSync(path) && readFileSync(path, 'utf8'))
  return wanted === current
}

async function install() {
  if (!isPinned) {
    process.stderr.write('acs-kit: installing the locked packages and Node 24, once; this takes up to a minute\n')
  } else if (!isLockfileInstalled()) {
    process.stderr.write('acs-kit: updating the packages, since the lockfile has changed\n')
  }
  // When nothing changed, pnpm finds out in a tenth of a second, without the network.
  const [command, ...before] = isPinned ? [join(bin, 'pnpm')] : ['npx', '--yes', packageManager]
  // On Windows both are scripts, which need a shell, and the shell splits paths at spaces.
  const program = isWindows ? `"${command}"` : command
  const { code, output } = await run(spawn, program, [...before, 'install', '--frozen-lockfile'], {
    // `npm run --silent` would also silence npx, whose output is printed only when it fails.
    env: { ...process.env, npm_config_loglevel: 'notice' },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: isWindows,
  })
  if (endedBy) process.exit(toExitCode(endedBy))
  if (code === 0) return
  const remedy = remedies.find(([pattern]) => pattern.test(output))?.[1]
  fail(`installation of the packages failed: ${remedy ?? 'see the lines above'}`, output.slice(-4000))
}

if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`Node ${process.versions.node} is too old: install Node 20 or newer; everything else is installed for you`)
}
// An interrupted installation may lack the pinned Node.
if (!isFile || !isPinned || !existsSync(join(bin, 'node'))) await install()

const isStack = script === 'local' || script.startsWith('tools/local-stack/')
// Not in a folder for temporary files, where other users could place code.
const compileCache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'acs-kit/node')
// cross-spawn quotes arguments for Windows. It is among the packages that are now installed.
const start = isWindows ? (await import('cross-spawn')).default : spawn
const [program, ...args] = isFile ? ['node', join(root, script)] : ['pnpm', '--silent', 'run', script]
const { code, output } = await run(start, join(bin, program), [...args, ...rest], {
  env: {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    // The stack starts about ten Node programs, which then spend half as long compiling.
    ...(isStack && { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compileCache }),
    ...(!isFile && { TURBO_TELEMETRY_DISABLED: '1' }),
  },
  stdio: 'inherit',
})
if (output) fail(`${program} did not start: ${output}`)
process.exitCode = code

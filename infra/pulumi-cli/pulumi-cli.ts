import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { PulumiCommand } from '@pulumi/pulumi/automation/index.js'

export interface PulumiCli {
  /** Path of the program. */
  readonly command: string
  /** Whether it was built here: then the host of Node programs beside it is the stand-in. */
  readonly isBuiltHere: boolean
}

/** The newest that Go's module proxy has; it runs programs of `@pulumi/pulumi` 3.270. */
const builtVersion = '3.259.0'
/** The first that sends old inputs along, which the provider compares with. */
const leastVersion = [3, 74] as const
const run = promisify(execFile)

const executable = process.platform === 'win32' ? 'pulumi.exe' : 'pulumi'
const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'acs-kit/pulumi')
const built = join(cache, builtVersion, executable)
const downloaded = join(cache, 'official')

/** The Pulumi CLI that is there: on PATH, or in the cache. Rejects when the one on PATH is too old. */
export async function findPulumi(): Promise<PulumiCli | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const onPath = folders.map((folder) => join(folder, executable)).find((path) => existsSync(path))
  if (onPath !== undefined) {
    await checkVersion(onPath)
    return { command: onPath, isBuiltHere: false }
  }
  const official = join(downloaded, 'bin', executable)
  if (existsSync(official)) return { command: official, isBuiltHere: false }
  return existsSync(built) ? { command: built, isBuiltHere: true } : undefined
}

/** The one that is there, or a new one: downloaded, or built with Go. Rejects with what to do when neither can be had. */
export async function obtainPulumi(tell: (line: string) => void, signal?: AbortSignal): Promise<PulumiCli> {
  const found = await findPulumi()
  if (found) return found
  tell('fetching the Pulumi CLI with its official installer')
  try {
    await PulumiCommand.install({ root: downloaded })
    return { command: join(downloaded, 'bin', executable), isBuiltHere: false }
  } catch {
    tell('it can’t be downloaded here')
  }
  const isGoThere = await run('go', ['version']).then(
    () => true,
    () => false,
  )
  if (!isGoThere) {
    throw new Error(
      'install the Pulumi CLI (https://www.pulumi.com/docs/install), or Go 1.26, with which it can be built',
    )
  }
  tell('building it from its Go module, which takes about four minutes and 3 GB, once')
  const start = Date.now()
  const pulse = setInterval(() => tell(`still building, after ${Math.round((Date.now() - start) / 1000)} s`), 30_000)
  await build(signal).finally(() => clearInterval(pulse))
  return { command: built, isBuiltHere: true }
}

async function checkVersion(command: string): Promise<void> {
  const { stdout } = await run(command, ['version'], { env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: 'true' } })
  const [major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number) ?? []
  if (major > leastVersion[0] || (major === leastVersion[0] && minor >= leastVersion[1])) return
  throw new Error(
    `${command} is ${stdout.trim()}; at least ${leastVersion.join('.')} is needed: update it, or take it off PATH`,
  )
}

async function build(signal: AbortSignal | undefined): Promise<void> {
  mkdirSync(dirname(built), { recursive: true })
  const draft = `${built}.${process.pid}`
  const version = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${builtVersion}`
  await run(
    'go',
    [
      'build',
      '-mod=readonly',
      '-trimpath',
      '-ldflags',
      `-s -w ${version}`,
      '-o',
      draft,
      'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
    ],
    { cwd: join(import.meta.dirname, 'pulumi-cli'), maxBuffer: 64 * 1024 * 1024, signal },
  )
  // Next to the CLI, which looks there first. The caller passes the checkout path in PULUMI_STAND_IN_HOST.
  const host = join(dirname(built), 'pulumi-language-nodejs')
  writeFileSync(host, '#!/bin/sh\nexec "$PULUMI_STAND_IN_NODE" "$PULUMI_STAND_IN_HOST" "$@"\n')
  chmodSync(host, 0o755)
  renameSync(draft, built)
}

if (import.meta.main) {
  const { command } = await obtainPulumi((line) => process.stderr.write(`pulumi-cli: ${line}\n`))
  process.stdout.write(`${command}\n`)
}

import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import { findProcesses } from './processes.ts'

const script = join(import.meta.dirname, '../src/start.ts')
const { COMMUNICATION_SERVICES_CONNECTION_STRING: _, ACS_SDK: __, ...env } = process.env

// The official installer is out of reach, as behind many proxies.
const offline = `data:text/javascript,${encodeURIComponent(`
import dns from 'node:dns'
const { lookup } = dns
dns.lookup = (host, options, done) => host === 'get.pulumi.com' ? done(new Error('offline')) : lookup(host, options, done)
`)}`

interface Options {
  readonly args?: readonly string[]
  readonly build: string
  readonly ready?: RegExp
}

/** Starts without a Pulumi CLI. A Go that compiles one of three packages, and then waits for `finish`, is installed. */
async function startWithGo(folder: string, { args = [], build, ready = /of 3 Go packages compiled/ }: Options) {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(
    join(bin, 'go'),
    `#!/bin/sh
case $1 in
list) echo 'go: downloading module' >&2; printf 'a\\nb\\nc\\n' ;;
build)
  echo a >&2
  while ! [ -e '${folder}/finish' ]; do sleep 0.05; done
  for output; do case $output in *pulumi.*) break ;; esac; done
  ${build} ;;
esac
`,
  )
  chmodSync(join(bin, 'go'), 0o755)
  return ServerProcess.start({
    script,
    args,
    env: {
      ...env,
      NODE_OPTIONS: `--import=${offline}`,
      // The tests' own PATH may contain a Pulumi CLI.
      PATH: [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
      XDG_CACHE_HOME: join(folder, 'cache'),
      TMPDIR: folder,
    },
    ready,
  })
}

it('issues the first tokens while the CLI is built, then provisions with it', async () => {
  const folder = temporaryFolder()
  const cli = `#!/bin/sh\\n[ "$1" = version ] \\&\\& echo v3.259.0 \\&\\& exit\\necho "error: created nothing" >\\&2; exit 1\\n`
  const build = `printf '${cli.replaceAll('\\&', '&')}' > "$output"; chmod +x "$output"`
  await using start = await startWithGo(folder, { args: ['--pulumi'], build })
  expect(start.stdout).toMatch(/^ {2}voip token +[\d.]+ s {2}eyJhbGci/m)
  expect(start.stdout).toMatch(/^ {2}the download failed\n {2}building the Pulumi CLI/m)
  expect(start.stdout).not.toContain('pulumi up')
  writeFileSync(join(folder, 'finish'), '')
  expect(await start.exit()).toBe(1)
  expect(start.stdout).toMatch(/^pulumi up: genuine engine/m)
  expect(start.stderr).toBe('acs-kit: pulumi stack init failed: created nothing\n')
  expect(findProcesses(folder)).toEqual([])
})

it('continues without Pulumi if the build fails', async () => {
  const folder = temporaryFolder()
  await using start = await startWithGo(folder, { build: 'echo "no space left on device" >&2; exit 1' })
  writeFileSync(join(folder, 'finish'), '')
  expect(await start.exit()).toBe(0)
  expect(start.stdout).toMatch(
    /^Provisioning skipped, .*: go build failed: no space left on device: free some disk space, or choose .*HOME/m,
  )
  expect(start.stdout).toMatch(/^Deleted the identity/m)
  expect(start.stderr).toBe('')
})

it('names the remedy for a cache folder that cannot be written', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'cache'), '')
  await using start = await startWithGo(folder, { build: '', ready: /^Deleted the identity/m })
  expect(await start.exit()).toBe(0)
  expect(start.stdout).toMatch(/^Provisioning skipped, .*: ENOTDIR: .*: choose writable folders with --keys, HOME or/m)
})

it.each(['SIGTERM', 'SIGKILL'] as const)('stops the build on %s, and removes its temporary files', async (signal) => {
  const folder = temporaryFolder()
  await using start = await startWithGo(folder, { build: 'exit 1' })
  process.kill(start.pid, signal)
  expect(await start.exit()).toBe(signal === 'SIGKILL' ? null : 1)
  expect(start.stderr).toBe(signal === 'SIGKILL' ? '' : 'acs-kit: interrupted\n')
  await expect.poll(() => findProcesses(folder), { timeout: 10_000 }).toEqual([])
  expect(readdirSync(folder).filter((name) => name.startsWith('acs-kit-go-'))).toEqual([])
})

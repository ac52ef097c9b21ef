import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { buildCli, builtVersion, hasGo, progressIntervalMs } from './build-cli.ts'

/** First version with error hooks, which the program registers. */
const minVersion = '3.217.0'

const executable = process.platform === 'win32' ? 'pulumi.exe' : 'pulumi'
/** Folder of everything that is installed here. */
export const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'acs-kit/pulumi')
// The Automation API expects the executable in `bin`.
const downloaded = join(cache, 'official')
const built = join(cache, builtVersion)

/**
 * Finds the Pulumi CLI on PATH or in the cache.
 *
 * @returns the CLI, or undefined if it is missing
 * @throws {Error} if the CLI on PATH is too old
 * @example
 * const cli = await findPulumi()
 */
export async function findPulumi(): Promise<PulumiCommand | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const onPath = folders.map((folder) => join(folder, executable)).find((path) => existsSync(path))
  if (onPath !== undefined) {
    const cli = await PulumiCommand.get({ skipVersionCheck: true })
    if (cli.version && cli.version.compare(minVersion) >= 0) return cli
    const version = cli.version?.toString() ?? 'unknown'
    throw new Error(`${onPath} is version ${version}, need >= ${minVersion}: upgrade it or remove it from PATH`)
  }
  for (const root of [downloaded, built]) {
    if (!existsSync(join(root, 'bin', executable))) continue
    // An interrupted installer leaves a part of the program, which does not run: it is missing, and installed again.
    const cli = await PulumiCommand.get({ root, skipVersionCheck: true }).catch(() => undefined)
    if (cli?.version) return cli
  }
  return undefined
}

/** Finds the Pulumi CLI like `findPulumi`. Throws if it is missing. */
export async function requirePulumi(): Promise<PulumiCommand> {
  const cli = await findPulumi()
  if (cli) return cli
  throw new Error('Pulumi CLI not found: install it (https://www.pulumi.com/docs/install) or run `npm run pulumi:cli`')
}

/**
 * Finds the Pulumi CLI, or installs it into the cache: downloads it or, without access to the download, builds it with Go.
 *
 * @param log receives the progress, in lines
 * @param signal prevents a build after an interrupted download
 * @returns the CLI
 * @throws {Error} if the CLI on PATH is too old, or if installing fails
 * @example
 * const cli = await ensurePulumi(console.error)
 */
export async function ensurePulumi(log: (line: string) => void, signal?: AbortSignal): Promise<PulumiCommand> {
  const found = await findPulumi()
  if (found) return found
  log('downloading the Pulumi CLI, about 100 MB, with its official installer')
  const start = performance.now()
  const report = () => log(`still downloading after ${Math.round((performance.now() - start) / 1000)} s`)
  const progress = setInterval(report, progressIntervalMs)
  try {
    return await PulumiCommand.install({ root: downloaded })
  } catch {
    signal?.throwIfAborted()
    log('the download failed')
  } finally {
    clearInterval(progress)
  }
  if (!(await hasGo())) {
    throw new Error(
      'Pulumi CLI not found: install it (https://www.pulumi.com/docs/install), or install Go 1.26 so that it can be built',
    )
  }
  const bin = join(built, 'bin')
  mkdirSync(bin, { recursive: true })
  const draft = join(bin, `${executable}.${process.pid}`)
  await buildCli(draft, log)
  // The CLI looks for language hosts in its own folder first. The caller names the stand-in host in PULUMI_STAND_IN_HOST.
  const host = join(bin, 'pulumi-language-nodejs')
  writeFileSync(host, '#!/bin/sh\nexec "$PULUMI_STAND_IN_NODE" "$PULUMI_STAND_IN_HOST" "$@"\n')
  chmodSync(host, 0o755)
  renameSync(draft, join(bin, executable))
  return PulumiCommand.get({ root: built, skipVersionCheck: true })
}

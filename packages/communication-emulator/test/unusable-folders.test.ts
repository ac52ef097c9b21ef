import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { describe, expect, it } from 'vitest'
import { cli, run, runCommand, type Run } from './cli-fixture.ts'

/** Returns what a failed command printed. */
async function getError({ output, exit }: Run): Promise<string> {
  expect(await exit).toMatchObject({ code: 1 })
  expect(output.stdout).toBe('')
  return output.stderr
}

/** Matches an error of one line with a cause and a remedy. */
function unusable(cause: string, remedy: string): RegExp {
  return new RegExp(`^communication-emulator: the (?:data )?folder .* cannot be used: ${cause}: ${remedy}\\n$`)
}

it('names the option to change if HOME, or the folder of an option, is a file', async () => {
  const file = join(temporaryFolder(), 'file')
  writeFileSync(file, '')
  const home = { HOME: file, XDG_DATA_HOME: '' }
  const error = (option: string) => unusable('EEXIST: .*', `choose a writable folder with ${option}`)
  expect(await getError(run(['start', '--port', '0'], home))).toMatch(error('--keys or HOME'))
  expect(await getError(run(['env'], home))).toMatch(error('--keys or HOME'))
  for (const option of ['--keys', '--data']) {
    expect(await getError(run(['start', '--port', '0', option, file]))).toMatch(error(option))
  }
})

it.runIf(existsSync('/proc/self')).each(['--keys', '--data'])('ends at once if %s is in /proc', async (option) => {
  const error = await getError(run(['start', '--port', '0', option, '/proc/x']))
  expect(error).toMatch(unusable('ENOENT: .*', `choose a writable folder with ${option}`))
})

const mount = ['-rm', 'sh', '-ec', 'mount -t tmpfs -o "$0" tmpfs "$1"; shift; exec "$@"']

/** Runs the CLI with a temporary file system on a folder; `options` are those of `mount`. */
function runWithFileSystem(folder: string, options: string, args: string[], environment?: Record<string, string>): Run {
  return runCommand('unshare', [...mount, options, folder, process.execPath, cli, ...args], environment)
}

const hasMount = await promisify(execFile)('unshare', [...mount, 'size=4k', '/tmp', 'true']).then(
  () => true,
  () => false,
)
if (!hasMount) process.stdout.write('NOT RUN: the emulator on full and read-only disks, no unshare for this user\n')

describe.runIf(hasMount)('with a file system of its own', () => {
  const noSpace = 'free some disk space, or choose another folder with'

  it('reports a full disk of --keys', async () => {
    const folder = temporaryFolder()
    const args = ['start', '--port', '0', '--keys', folder]
    const error = await getError(runWithFileSystem(folder, 'mode=700,size=8k', args))
    expect(error).toMatch(unusable('ENOSPC: .*', `${noSpace} --keys`))
  })

  it('reports a full disk of --data, whether the signing key or the database does not fit', async () => {
    const [folder, keys] = [temporaryFolder(), temporaryFolder()]
    expect(await run(['env', '--keys', keys]).exit).toMatchObject({ code: 0 })
    const args = ['start', '--port', '0', '--keys', keys, '--data', folder]
    const keyError = await getError(runWithFileSystem(folder, 'mode=700,nr_inodes=2', args))
    expect(keyError).toMatch(unusable('ENOSPC: .*', `${noSpace} --data`))
    const databaseError = await getError(runWithFileSystem(folder, 'mode=700,size=32k', args))
    expect(databaseError).toMatch(unusable('database or disk is full', `${noSpace} --data`))
  })

  it('reports a full disk if only the certificate bundles do not fit', async () => {
    const folder = temporaryFolder()
    const error = await getError(runWithFileSystem(folder, 'mode=700,size=32k', ['env', '--keys', folder]))
    expect(error).toMatch(/^communication-emulator: ENOSPC: .*: free some disk space, .* --keys and --data\n$/)
  })

  it('reports a read-only HOME', async () => {
    const home = temporaryFolder()
    const environment = { HOME: home, XDG_DATA_HOME: '' }
    const error = await getError(runWithFileSystem(home, 'ro', ['start', '--port', '0'], environment))
    expect(error).toMatch(unusable('EROFS: .*', 'choose a writable folder with --keys or HOME'))
  })
})

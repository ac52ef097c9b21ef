import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import { builtVersion } from '../pulumi-cli/build-cli.ts'
import { runCommand } from './run-command.ts'

/** An environment without a Pulumi CLI, whose cache is a temporary folder. */
function temporaryEnvironment() {
  return { PATH: '/missing', XDG_CACHE_HOME: temporaryFolder() }
}

/** Stands in for a Pulumi CLI, by default one that knows no stack. */
function writePulumi(
  path: string,
  version: string,
  exported = 'echo "error: no stack named \'dev\' found" >&2; exit 1',
): void {
  mkdirSync(dirname(path), { recursive: true })
  const script = `if [ "$1" = version ]; then echo ${version}; else ${exported}; fi`
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
}

it.each<[string, string[], RegExp]>([
  ['a missing stack', [], /missing required argument 'stack'.*usage: npm run teardown -- \[options\] <stack>/],
  ['two stacks', ['dev', 'prod'], /too many arguments.* dev, prod: usage: npm run teardown -- \[options\] <stack>/],
  ['an unknown option', ['dev', '--force'], /--force.*usage: npm run teardown -- \[options\] <stack>/],
  ['a missing Pulumi CLI', ['dev'], /Pulumi CLI not found: install it .* or run `npm run pulumi:cli`/],
])('rejects %s in one line', async (_name, args, message) => {
  const { code, stderr } = await runCommand('teardown', args, temporaryEnvironment())
  expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
  expect(stderr.trim().split('\n')).toHaveLength(1)
})

it.each<[string, string[], RegExp]>([
  ['a leaked key without its name', ['dev', '--now'], /argument missing.*usage: npm run rotate -- \[options\] <stack>/],
  ['--yes without --now', ['dev', '--yes'], /^rotate: --yes applies only to --now: omit it$/m],
  ['an unknown key', ['dev', '--now', 'both'], /'both' is invalid: Allowed choices are primary, secondary: usage/],
])('rejects %s in one line', async (_name, args, message) => {
  const { code, stderr } = await runCommand('rotate', args, temporaryEnvironment())
  expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
  expect(stderr.trim().split('\n')).toHaveLength(1)
})

it('reports why the outputs of a stack cannot be read, in one line', async () => {
  const env = temporaryEnvironment()
  const args = ['export', 'dev', '--format', 'csv']
  const missing =
    'mappings: Pulumi CLI not found: install it (https://www.pulumi.com/docs/install) or run `npm run pulumi:cli`\n'
  expect(await runCommand('mappings', args, env)).toMatchObject({ code: 1, stderr: missing })
  writePulumi(join(env.XDG_CACHE_HOME, 'acs-kit/pulumi/official/bin/pulumi'), 'v3.270.0')
  const unknown = 'mappings: stack dev does not exist: list the stacks with `pulumi stack ls` in infra/\n'
  expect(await runCommand('mappings', args, env)).toMatchObject({ code: 1, stderr: unknown })
})

it.each([
  ['mappings', ['export', 'dev', '--format', 'csv']],
  ['rotate', ['dev']],
  ['teardown', ['dev', '--yes']],
])('says how to log in to Pulumi: %s', async (name, args) => {
  const env = temporaryEnvironment()
  const rejected =
    'echo "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions" >&2; exit 3'
  writePulumi(join(env.XDG_CACHE_HOME, 'acs-kit/pulumi/official/bin/pulumi'), 'v3.270.0', rejected)
  const remedy = 'run `pulumi login`, or for the local stack `eval "$(npm run --silent outputs -- --pulumi)"`'
  const stderr = `${name}: not logged in to a Pulumi backend: ${remedy}\n`
  expect(await runCommand(name, args, env)).toMatchObject({ code: 1, stderr })
})

it.each([
  ['is killed', 'kill -9 $PPID', {}, 'it ended with SIGKILL'],
  [
    'prints something else',
    'echo "{}"',
    { NODE_OPTIONS: '--import=data:text/javascript,console.log(1)' },
    'its output is not JSON',
  ],
])('reports when the process that reads the outputs of a stack %s', async (_name, exported, changes, reason) => {
  const env = { ...temporaryEnvironment(), ...changes }
  writePulumi(join(env.XDG_CACHE_HOME, 'acs-kit/pulumi/official/bin/pulumi'), 'v3.270.0', exported)
  const stderr = `mappings: the process that reads the outputs of stack dev failed, run the command again: ${reason}\n`
  expect(await runCommand('mappings', ['export', 'dev', '--format', 'csv'], env)).toMatchObject({ code: 1, stderr })
})

it.each([
  ['is empty', ''],
  ['ends early', '#!/bin/sh\nif ['],
])('does not use a downloaded CLI whose program %s', async (_name, program) => {
  const env = temporaryEnvironment()
  const cache = join(env.XDG_CACHE_HOME, 'acs-kit/pulumi')
  const path = join(cache, 'official/bin/pulumi')
  writePulumi(path, 'v3.270.0')
  writeFileSync(path, program)
  const missing = /^teardown: Pulumi CLI not found: install it/
  expect(await runCommand('teardown', ['dev', '--yes'], env)).toMatchObject({ stderr: expect.stringMatching(missing) })
  writePulumi(join(cache, builtVersion, 'bin/pulumi'), 'v3.270.0')
  const used = /^teardown: stack dev does not exist/
  expect(await runCommand('teardown', ['dev', '--yes'], env)).toMatchObject({ stderr: expect.stringMatching(used) })
})

it('uses the CLI that `npm run pulumi:cli` installed', async () => {
  const env = temporaryEnvironment()
  writePulumi(join(env.XDG_CACHE_HOME, 'acs-kit/pulumi/official/bin/pulumi'), 'v3.270.0')
  const { code, stderr } = await runCommand('teardown', ['dev', '--yes'], env)
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^teardown: stack dev does not exist: list the stacks/)])
})

it('prefers the CLI on PATH, and rejects it if it is too old', async () => {
  const env = temporaryEnvironment()
  writePulumi(join(env.XDG_CACHE_HOME, 'acs-kit/pulumi/official/bin/pulumi'), 'v3.270.0')
  const bin = join(env.XDG_CACHE_HOME, 'bin')
  writePulumi(join(bin, 'pulumi'), 'v3.216.9')
  const { code, stderr } = await runCommand('teardown', ['dev', '--yes'], { ...env, PATH: bin })
  expect([code, stderr]).toEqual([
    1,
    `teardown: ${bin}/pulumi is version 3.216.9, need >= 3.217.0: upgrade it or remove it from PATH\n`,
  ])
  writePulumi(join(bin, 'pulumi'), 'v3.217.0')
  expect(await runCommand('pulumi-cli', [], { ...env, PATH: bin })).toMatchObject({ code: 0, stdout: 'pulumi\n' })
})

it('prints the path of the installed CLI', async () => {
  const env = temporaryEnvironment()
  const path = join(env.XDG_CACHE_HOME, 'acs-kit/pulumi/official/bin/pulumi')
  writePulumi(path, 'v3.270.0')
  expect(await runCommand('pulumi-cli', [], env)).toEqual({ code: 0, stdout: `${path}\n`, stderr: '' })
})

it.each([
  ['rotate', ['<stack>', '--wait', '--now <key>', '--yes']],
  ['teardown', ['<stack>', '--yes', '--export <file>']],
  ['mappings', ['export [options] <stack> [file]', 'import [options] <stack> <file>']],
  ['pulumi-cli', ['with the official installer', 'builds it with Go']],
])('lists the arguments and options of %s with --help', async (name, expected) => {
  const { code, stdout } = await runCommand(name, ['--help'], temporaryEnvironment())
  expect(code).toBe(0)
  for (const text of [...expected, '-h, --help']) expect(stdout).toContain(text)
})

import { execFile } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { wellKnownClientSecret } from '@acs-kit/communication-emulator'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { describe, expect, it } from 'vitest'
import { findProcesses } from './processes.ts'
import { cli, runsEngine } from './pulumi-process.ts'

const run = promisify(execFile)
const script = join(import.meta.dirname, '../src/start.ts')
const pluginScript = join(import.meta.dirname, 'plugin-process.ts')
const { version } = createRequire(import.meta.url)('@pulumi/azure-native/package.json') as { version: string }

/** Changes the platform, but only for the program itself: its libraries load native modules. */
const otherPlatform = `Object.defineProperty(process, 'platform', {
  get: () => (new Error().stack.split('\\n')[2].includes('/src/start.ts') ? 'darwin' : 'linux'),
})`

interface Call {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * Puts a `pulumi` on PATH that records its calls and runs `install` for `pulumi plugin install`, which needs the internet. It
 * passes all other calls to the CLI.
 */
function recordPulumi(install: string) {
  const folder = temporaryFolder()
  const bin = join(folder, 'bin')
  const calls = join(folder, 'calls')
  for (const path of [bin, calls, join(folder, 'tmp')]) mkdirSync(path)
  const record = `JSON.stringify({ args: process.argv.slice(1), env: process.env })`
  writeExecutable(
    join(bin, 'pulumi'),
    `'${process.execPath}' -p '${record}' -- "$@" > "${calls}/$(date +%s%N)-$$"
if [ "$1" = plugin ]; then
${install}
exit
fi
exec '${cli?.command}' "$@"`,
  )
  return {
    bin,
    tmp: join(folder, 'tmp'),
    plugins: join(folder, 'cache/acs-kit/pulumi/home/plugins'),
    env: childEnvironment({
      PATH: [bin, process.env['PATH']].join(delimiter),
      XDG_CACHE_HOME: join(folder, 'cache'),
      TMPDIR: join(folder, 'tmp'),
      // Must not reach the CLI.
      ARM_CLIENT_SECRET: 'of another program',
      PULUMI_DEBUG_PROVIDERS: 'azure-native:1',
    }),
    calls: () =>
      readdirSync(calls)
        .toSorted()
        .map((name) => JSON.parse(readFileSync(join(calls, name), 'utf8')) as Call),
  }
}

function writeExecutable(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
}

describe.runIf(runsEngine && process.platform === 'linux')('npm start -- --provider genuine', () => {
  it('installs the plugin of the SDK into the cache, and lets the engine start it on the emulated Azure', async () => {
    // The plugin itself cannot be downloaded here.
    const pulumi = recordPulumi(`folder="$PULUMI_HOME/plugins/resource-azure-native-v$5"
mkdir -p "$folder"
printf '%s\\n' '#!/bin/sh' 'NODE_EXTRA_CA_CERTS="$SSL_CERT_FILE" exec ${process.execPath} ${pluginScript}' > "$folder/pulumi-resource-azure-native"
chmod +x "$folder/pulumi-resource-azure-native"`)
    const { stdout, stderr } = await run(process.execPath, [script, '--provider', 'genuine'], { env: pulumi.env })
    for (const line of [
      /^installing the provider azure-native, unless it is in the cache$/m,
      /^pulumi up: genuine engine, genuine provider, emulated Azure$/m,
      /^ {2}CommunicationService +[\d.]+ s {2}created$/m,
      /^ {2}voip token +[\d.]+ s {2}eyJ/m,
      /^ {2}destroyed +[\d.]+ s {2}11 resources$/m,
      /^ {2}remaining +[\d.]+ s {2}none$/m,
    ]) {
      expect(stdout).toMatch(line)
    }
    expect(stderr).toBe('')
    const install = pulumi.calls().find(({ args }) => args[0] === 'plugin')!
    expect(install.args.slice(0, 6)).toEqual(['plugin', 'install', 'resource', 'azure-native', version, '--exact'])
    expect(install.env).not.toHaveProperty('ARM_CLIENT_SECRET')
    const up = pulumi.calls().find(({ args }) => args[0] === 'up')!
    expect(up.env).toMatchObject({
      ARM_METADATA_HOSTNAME: expect.stringMatching(/^https:\/\/localhost:\d+$/),
      ARM_DISABLE_INSTANCE_DISCOVERY: 'true',
      ARM_TENANT_ID: expect.stringMatching(/^[-\da-f]{36}$/),
      ARM_CLIENT_ID: expect.stringMatching(/^[-\da-f]{36}$/),
      ARM_CLIENT_SECRET: wellKnownClientSecret,
      ARM_SUBSCRIPTION_ID: expect.stringMatching(/^[-\da-f]{36}$/),
      SSL_CERT_FILE: expect.stringMatching(/\.pem$/),
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
      PULUMI_IGNORE_AMBIENT_PLUGINS: 'true',
    })
    expect(up.env).not.toHaveProperty('PULUMI_DEBUG_PROVIDERS')
    const configured = pulumi.calls().find(({ args }) => args.includes('set-all'))!
    expect(configured.args.join(' ')).toContain('deployPackage=false')
    for (const { args } of pulumi.calls()) expect(args.join(' ')).not.toContain(wellKnownClientSecret)
    expect(readdirSync(pulumi.tmp)).toEqual([])
    expect(findProcesses(pulumi.tmp)).toEqual([])
    // Kept for the next run.
    expect(readdirSync(pulumi.plugins)).toContain(`resource-azure-native-v${version}`)
  }, 240_000)

  it('ends with one line if the plugin cannot be installed, and starts nothing', async () => {
    const pulumi = recordPulumi(`echo 'warning: Error downloading plugin' >&2
echo 'error: [resource plugin azure-native-${version}] downloading from : failed all 5 attempts' >&2
exit 255`)
    await expect(run(process.execPath, [script, '--provider', 'genuine'], { env: pulumi.env })).rejects.toMatchObject({
      code: 1,
      stdout: 'installing the provider azure-native, unless it is in the cache\n',
      stderr: `acs-kit: provider azure-native ${version} not installed: [resource plugin azure-native-${version}] downloading from : failed all 5 attempts: allow access to get.pulumi.com, or omit --provider genuine\n`,
    })
    expect(pulumi.calls().map(({ args }) => args[0])).toEqual(['version', 'plugin'])
    expect(readdirSync(pulumi.tmp)).toEqual([])
  })

  it('prints the commands to run by hand on other systems', async () => {
    const pulumi = recordPulumi('')
    const options = ['--import', `data:text/javascript,${encodeURIComponent(otherPlatform)}`]
    const printed = (await run(process.execPath, [...options, script, '--provider', 'genuine'], {
      env: pulumi.env,
    }).catch((error: unknown) => error)) as { code: number; stdout: string; stderr: string }
    expect([printed.code, printed.stderr]).toEqual([
      1,
      'acs-kit: --provider genuine works only on Linux: run the commands above instead\n',
    ])
    expect(pulumi.calls()).toEqual([])
    // In a copy, without the emulator of another terminal, and without the plugin.
    const cwd = temporaryFolder()
    const program = join(cwd, 'infra')
    mkdirSync(program)
    copyFileSync(
      fileURLToPath(new URL('Pulumi.yaml', import.meta.resolve('@acs-kit/infra'))),
      join(program, 'Pulumi.yaml'),
    )
    const commands = printed.stdout
      .replace(/^npm .*$/m, '')
      .replaceAll(/^pulumi (?:up|destroy)/gm, 'pulumi config')
      .replace(/^rm /m, 'cat ')
    const { stdout } = await run('bash', ['-ec', commands], { cwd, env: pulumi.env })
    expect(stdout).toContain('acs-kit:deployPackage: "false"')
    expect(stdout).toContain('audience: api://acs-kit')
    const last = pulumi.calls().at(-1)!
    expect(last.args).toEqual(['config', '--stack', 'local'])
    expect(last.env).toMatchObject({
      ARM_METADATA_HOSTNAME: 'https://localhost:4380',
      ARM_DISABLE_INSTANCE_DISCOVERY: 'true',
      ARM_CLIENT_SECRET: wellKnownClientSecret,
    })
  })
})

// `npm start` and `npm run up:local`: shows the lifecycle of a communication resource without an Azure account.
import { parseSdkName } from '@acs-kit/communication-identity'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { Option } from 'commander'
import { findNamedResource } from './named-resource.ts'
import { addStackOptions, createProgram, toPorts, type StackOptions } from './options.ts'
import { printLine, runProgram } from './run-program.ts'

/** Options and variables that choose the folders of this program. */
const folderOptions = ['--keys', 'HOME']

interface StartOptions extends StackOptions {
  readonly keep?: boolean
  readonly once?: boolean
  /** Undefined: if it can be provided. */
  readonly pulumi?: boolean
  readonly keyless?: boolean
  readonly provider: 'stand-in' | 'genuine'
}

// npm names the script that it runs.
const invocation = process.env['npm_lifecycle_event'] === 'up:local' ? 'npm run up:local --' : 'npm start --'
const command = createProgram(invocation, 'provision a resource on an emulated Azure, use it, and destroy it')
  .option('--keep', 'keep everything running until Ctrl+C')
  .option('--once', 'stop in the end, even with --keep')
  .option('--pulumi', 'require Pulumi, and ignore COMMUNICATION_SERVICES_CONNECTION_STRING')
  .option('--no-pulumi', "use the emulator's default resource instead of provisioning one")
  .option('--keyless', 'provision a resource without access keys; implies --pulumi')
  .addOption(
    new Option('--provider <name>', "Pulumi's provider for Azure; genuine downloads azure-native and implies --pulumi")
      .choices(['stand-in', 'genuine'])
      .default('stand-in'),
  )
addStackOptions(command).addHelpText(
  'after',
  `
The ports apply with --keep only. \`npm run up:local\` is \`npm start -- --pulumi --keep\`.

Environment variables:
  COMMUNICATION_SERVICES_CONNECTION_STRING  resource to use instead of provisioning one
  ACS_SDK                                   SDK of the token service: identity or administration`,
)

async function start(options: StartOptions, signal: AbortSignal): Promise<void> {
  const { keep = false, once = false, keyless = false, keys, allowOrigin } = options
  const isGenuine = options.provider === 'genuine'
  // Not `conflicts`, which would also exclude --pulumi: both options have the same name.
  if (options.pulumi === false && (keyless || isGenuine))
    command.error(
      `error: option '${keyless ? '--keyless' : '--provider genuine'}' cannot be used with option '--no-pulumi'`,
    )
  if (isGenuine && process.platform !== 'linux') {
    const { formatManualCommands } = await import('./pulumi/genuine-provider.ts')
    printLine(formatManualCommands())
    throw new Error('--provider genuine works only on Linux: run the commands above instead')
  }
  // Fails early: a provisioned service ignores ACS_SDK, and the quickstart would reject it only at the end.
  parseSdkName(process.env['ACS_SDK'], 'identity')
  const pulumi = keyless || isGenuine || options.pulumi
  const staysUp = keep && !once
  const connectionString = pulumi === true ? undefined : await findNamedResource()
  // Loaded late, since options are often wrong, and the Automation API and the emulator are large.
  const [cli, { runLifecycle }] = await Promise.all([
    pulumi === false || connectionString !== undefined ? undefined : findCli(pulumi === true, keys, signal),
    import('./lifecycle.ts'),
  ])
  const plugin = cli && isGenuine ? await installPlugin(cli, signal) : undefined
  await runLifecycle({
    provision: cli && { cli, keyless, plugin },
    connectionString,
    ports: staysUp ? toPorts(options) : { emulator: 0, service: 0 },
    allowedOrigins: allowOrigin,
    keyFolder: keys,
    staysUp,
    signal,
  })
}

async function findCli(isRequired: boolean, keyFolder: string | undefined, signal: AbortSignal) {
  const { provideCli } = await import('./pulumi/provide-cli.ts')
  return provideCli({ isRequired, folderOptions, keyFolder, signal })
}

async function installPlugin(cli: PulumiCommand, signal: AbortSignal) {
  const { installAzureNative } = await import('@acs-kit/infra/azure-native-plugin')
  printLine('installing the provider azure-native, unless it is in the cache')
  return installAzureNative({ cli, env: childEnvironment({}, { isOnline: true }), signal })
}

await runProgram(
  (signal) => command.action((options: StartOptions) => start(options, signal)).parseAsync(),
  folderOptions,
)

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import spawn from 'cross-spawn'
import { startEmulator, type EmulatedResource, type Emulator, type EmulatorOptions } from './emulator.ts'
import {
  applyEnvironment,
  createEnvironment,
  formatEnvironment,
  shellFormats,
  type ShellFormat,
} from './environment.ts'
import { bypassProxies } from './loopback.ts'
import {
  defaultResourceName,
  formatConnectionString,
  getWellKnownAccessKey,
  isBase64,
  wellKnownPort,
} from './access-key.ts'
import type { ResourceOptions } from './resource.ts'
import { defaultKeyFolder, openKeyMaterial } from './tls/key-material.ts'
import { trustInProcess } from './tls/trust.ts'

// A key must not be an argument, where every process of the machine can read it.
const keyVariable = 'COMMUNICATION_EMULATOR_ACCESS_KEY'

interface Flags {
  readonly port: number
  readonly host?: string
  readonly data?: string
  readonly keys?: string
  readonly resource?: readonly ResourceOptions[]
  readonly loose?: boolean
  readonly strict?: boolean
  readonly quotas?: boolean
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function main(): Promise<Command> {
  const program = new Command('communication-emulator')
    .description('A local stand-in for Azure Communication Services: identities and access tokens over HTTPS')
    .enablePositionalOptions()
  withEmulatorOptions(program.command('start'), wellKnownPort)
    .description('run the emulator until it is stopped')
    .action(start)
  withEmulatorOptions(program.command('exec'), 0)
    .description('run a command against an emulator of its own, and exit with its code')
    .argument('<command...>', 'the command with its arguments, after --')
    .passThroughOptions()
    .action(exec)
  program
    .command('env')
    .description(
      'print the variables under which programs use a started emulator: eval "$(communication-emulator env)"',
    )
    .addOption(portOption(wellKnownPort))
    .addOption(keysOption())
    .addOption(new Option('--shell <name>', 'the shell to print them for').choices(shellFormats).default('sh'))
    .action(env)
  program
    .command('sign-in')
    .description('print a sign-in token of a started emulator: TOKEN=$(communication-emulator sign-in alice)')
    .argument('<user>', 'any name: the same one is the same person')
    .option('--audience <uri>', 'whom the token is for', 'api://acs-kit')
    .option('--scope <name...>', 'permissions there (default: access_as_user)')
    .option('--role <name...>', 'app roles of the user (default: none)')
    .addOption(portOption(wellKnownPort))
    .addOption(keysOption())
    .action(signIn)
  return program.parseAsync()
}

function withEmulatorOptions(command: Command, port: number): Command {
  return command
    .addOption(portOption(port))
    .option('--host <address>', 'address to listen on (default: 127.0.0.1 and ::1)')
    .option('--data <folder>', 'keep the state there across restarts (default: in memory only)')
    .addOption(keysOption())
    .option('--resource <name[:port]>', 'a further resource on a port of its own; may be repeated', readResource)
    .option('--loose', 'accept any request date, and api-versions that the service was never seen to serve')
    .option('--strict', 'reject body members that the api-version does not know')
    .option('--quotas', "enforce the service's documented limits")
    .addHelpText('after', `\nThe environment variable ${keyVariable} replaces the well-known access key.`)
}

function portOption(port: number): Option {
  return new Option('--port <number>', 'port of the default resource; 0 takes a free one')
    .default(port)
    .argParser(readPort)
}

function keysOption(): Option {
  return new Option('--keys <folder>', 'folder of the certificate authority (default: one per user)')
}

function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('It must be a number from 0 to 65535.')
  return port
}

function readResource(text: string, before: readonly ResourceOptions[] = []): readonly ResourceOptions[] {
  const [name = '', port, ...rest] = text.split(':')
  if (!/^[-\w]{1,63}$/.test(name) || rest.length > 0) {
    throw new InvalidArgumentError('It must read name or name:port, the name of letters, digits, - and _.')
  }
  return [...before, { name, ...(port !== undefined && { port: readPort(port) }) }]
}

function toOptions({ port, host, data, keys, resource, loose, strict, quotas }: Flags): EmulatorOptions {
  const accessKey = readAccessKey()
  return {
    port,
    trust: false,
    log: (line) => process.stderr.write(`communication-emulator: ${line}\n`),
    ...(host !== undefined && { host }),
    ...(data !== undefined && { dataFolder: data }),
    ...(keys !== undefined && { keyFolder: keys }),
    ...(resource && { resources: resource }),
    ...(loose && { loose }),
    ...(strict && { strict }),
    ...(quotas && { quotas }),
    ...(accessKey && { accessKey }),
  }
}

function readAccessKey(): string | undefined {
  const key = process.env[keyVariable]
  if (key && !isBase64(key)) throw new Error(`${keyVariable} must be base64`)
  return key || undefined
}

async function start(flags: Flags): Promise<void> {
  await using emulator = await startEmulator(toOptions(flags))
  const stop = Promise.race(signals.map((signal) => once(process, signal)))
  for (const resource of emulator.resources) {
    process.stdout.write(`communication-emulator ready at ${resource.endpoint} (${describe(resource)})\n`)
  }
  process.stdout.write(`certificate authority to trust: ${emulator.caPath}\n`)
  await stop
}

/** A connection string with a well-known key is no secret; any other key is not shown. */
function describe({ name, connectionString, accessKey }: EmulatedResource): string {
  if (accessKey === getWellKnownAccessKey(name)) return `connection string: ${connectionString}`
  return name === defaultResourceName
    ? `access key: not shown; it is the one of ${keyVariable}, or was regenerated: delete the data folder for the well-known one`
    : 'access key: not shown'
}

async function env({ port, keys, shell }: { port: number; keys?: string; shell: ShellFormat }): Promise<void> {
  const { caPath } = await openKeyMaterial(keys ?? defaultKeyFolder())
  const accessKey = readAccessKey() ?? getWellKnownAccessKey(defaultResourceName)
  const endpoint = `https://localhost:${port}/`
  const environment = createEnvironment(
    { endpoint, connectionString: formatConnectionString(endpoint, accessKey), caPath },
    process.env,
  )
  for (const note of environment.notes) process.stderr.write(`communication-emulator: ${note}\n`)
  process.stdout.write(formatEnvironment(environment, shell))
}

async function signIn(
  user: string,
  {
    port,
    keys,
    audience,
    scope,
    role,
  }: { port: number; keys?: string; audience: string; scope?: string[]; role?: string[] },
): Promise<void> {
  const { ca } = await openKeyMaterial(keys ?? defaultKeyFolder())
  trustInProcess(ca)
  bypassProxies()
  const url = `https://localhost:${port}/_emulator/entra/sign-in`
  const body = JSON.stringify({ user, audience, ...(scope && { scopes: scope }), ...(role && { roles: role }) })
  const response = await fetch(url, { method: 'POST', body }).catch((cause: unknown) => {
    throw new Error(
      `no emulator answers at port ${port}: start one (communication-emulator start), or name its --port`,
      { cause },
    )
  })
  const answer = (await response.json()) as { accessToken?: string; error?: { message: string } }
  if (answer.accessToken === undefined)
    throw new Error(answer.error?.message ?? `the emulator answered ${response.status}`)
  process.stdout.write(`${answer.accessToken}\n`)
}

async function exec(command: readonly string[], flags: Flags): Promise<void> {
  await using emulator = await startEmulator(toOptions(flags))
  process.exitCode = await run(command, emulator)
}

async function run([program = '', ...args]: readonly string[], emulator: Emulator): Promise<number> {
  const environment = createEnvironment(emulator, process.env)
  for (const note of environment.notes) process.stderr.write(`communication-emulator: ${note}\n`)
  // SIGINT comes from a terminal, which signals the command too; the others are passed on, and the command decides. Handled
  // from before it starts, or one in between would end this process and leave the command behind.
  let child: ChildProcess | undefined
  for (const signal of signals) process.on(signal, () => signal !== 'SIGINT' && child?.kill(signal))
  child = spawn(program, args, { stdio: 'inherit', env: applyEnvironment(environment, process.env) })
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code ?? 128 + constants.signals[signal!]
  } catch (error) {
    process.stderr.write(`communication-emulator: ${program} could not be run: ${(error as Error).message}\n`)
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 127 : 126
  }
}

function explain(error: unknown): string {
  const { code, port, message, syscall } = error as NodeJS.ErrnoException & { port?: number }
  if (code === 'EADDRINUSE') {
    return `port ${port} is taken: stop the program that has it (an emulator that still runs?), or choose another with --port`
  }
  if (code === 'EACCES' && syscall === 'listen') return `${message}: choose a port above 1023`
  if (/^(?:EACCES|EEXIST|ENOTDIR|EPERM|EROFS)$/.test(code ?? ''))
    return `${message}: choose a folder that this user may write, using --keys and --data, or HOME`
  return message
}

// A reader that went away (`| head -1`) ends the program as a signal would.
process.stdout.on('error', () => process.exit())

try {
  await main()
} catch (error) {
  process.stderr.write(`communication-emulator: ${explain(error)}\n`)
  process.exitCode = 1
}

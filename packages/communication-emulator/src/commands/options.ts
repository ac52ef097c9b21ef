import { InvalidArgumentError, Option, type Command } from 'commander'
import { isBase64 } from '../access-key.ts'
import type { EmulatorOptions } from '../emulator-options.ts'
import type { Environment } from '../environment.ts'
import { normalizeHostnames } from '../hostnames.ts'
import { resourceNamePattern, type ResourceOptions } from '../resource.ts'
import type { UserFlag } from './exec.ts'
import { printLine } from './process.ts'

// Not an option, because other processes on the machine can read arguments.
export const keyVariable = 'COMMUNICATION_EMULATOR_ACCESS_KEY'

/** Sets `--admin-token`, unseen by other processes. */
const adminTokenVariable = 'COMMUNICATION_EMULATOR_ADMIN_TOKEN'

/** Options of `startEmulator` as the command line names them. */
export interface EmulatorFlags extends Pick<EmulatorOptions, 'port' | 'host' | 'loose' | 'strict' | 'quotas'> {
  readonly hostname?: readonly string[]
  readonly adminToken?: string
  readonly data?: string
  readonly keys?: string
  readonly resource?: readonly ResourceOptions[]
}

/** Further names for variables of the emulator. */
export interface NameFlags {
  readonly connectionStringAs?: readonly string[] | undefined
  readonly endpointAs?: readonly string[] | undefined
}

/** Adds the options that give variables further names, for programs that read them under names of their own. */
export function addNameOptions(command: Command): Command {
  return command
    .option(
      '--connection-string-as <variable>',
      'also set this variable to the connection string; may be repeated',
      parseVariables,
    )
    .option('--endpoint-as <variable>', 'also set this variable to the endpoint; may be repeated', parseVariables)
}

export function addNames(
  environment: Environment,
  { connectionStringAs = [], endpointAs = [] }: NameFlags,
): Environment {
  const { COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString, COMMUNICATION_SERVICES_ENDPOINT: endpoint } =
    environment.variables
  const names = [
    ...connectionStringAs.map((name) => [name, connectionString]),
    ...endpointAs.map((name) => [name, endpoint]),
  ]
  return { ...environment, variables: { ...environment.variables, ...Object.fromEntries(names) } }
}

/** Adds the options of commands that run an emulator. */
export function addEmulatorOptions(command: Command, defaultPort: number): Command {
  return command
    .option('--port <number>', 'port of the default resource; 0 selects a free port', parsePort, defaultPort)
    .option('--host <address>', 'address to listen on (default: 127.0.0.1 and ::1, or all with --hostname)')
    .option(
      '--hostname <name>',
      'DNS name or IP address with which other machines reach the emulator; may be repeated',
      parseHostnames,
    )
    .addOption(createAdminTokenOption('token that gives other machines access to the administration'))
    .option('--data <folder>', 'folder that keeps the state across restarts (default: in memory)')
    .addOption(createKeysOption())
    .option('--resource <name[:port]>', 'another resource, on its own port; may be repeated', parseResource)
    .option('--loose', 'accept any request date')
    .option('--strict', 'reject body members that the api-version does not know')
    .option('--quotas', "enforce the service's documented limits")
    .addHelpText('after', `\nThe environment variable ${keyVariable} replaces the well-known access key.`)
}

/** Adds the options of commands that use a running emulator. */
export function addRunningOptions(command: Command, defaultPort: number): Command {
  return command
    .option('--port <number>', 'port of the running emulator', parseRunningPort, defaultPort)
    .option('--hostname <name>', 'name of the running emulator (default: localhost)', (name) => parseHostnames(name)[0])
    .addOption(createKeysOption())
}

export function createAdminTokenOption(description: string): Option {
  return new Option('--admin-token <token>', description).env(adminTokenVariable)
}

function createKeysOption(): Option {
  return new Option('--keys <folder>', 'folder of the certificate authority (default: one per user)')
}

export function toEmulatorOptions({
  hostname,
  adminToken,
  data,
  keys,
  resource,
  ...flags
}: EmulatorFlags): EmulatorOptions {
  const accessKey = readAccessKey()
  return {
    ...flags,
    trust: false,
    log: printLine,
    ...(hostname && { hostnames: hostname }),
    // An empty variable counts as unset.
    ...(adminToken && { administrationToken: adminToken }),
    ...(data !== undefined && { dataFolder: data }),
    ...(keys !== undefined && { keyFolder: keys }),
    ...(resource && { resources: resource }),
    ...(accessKey && { accessKey }),
  }
}

export function readAccessKey(): string | undefined {
  const key = process.env[keyVariable]
  if (key && !isBase64(key)) throw new Error(`${keyVariable} is not base64: copy the key again, or unset the variable`)
  return key || undefined
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('Use a number from 0 to 65535.')
  return port
}

function parseHostnames(text: string, previous: readonly string[] = []): readonly string[] {
  try {
    return [...previous, ...normalizeHostnames([text])]
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

function parseRunningPort(text: string): number {
  const port = parsePort(text)
  if (port === 0) throw new InvalidArgumentError('Use the port that `communication-emulator start` printed.')
  return port
}

function parseResource(text: string, previous: readonly ResourceOptions[] = []): readonly ResourceOptions[] {
  const [name = '', port, ...rest] = text.split(':')
  if (!resourceNamePattern.test(name) || rest.length > 0) {
    throw new InvalidArgumentError('Use name or name:port; a name has 1 to 63 letters, digits, - or _.')
  }
  return [...previous, { name, ...(port !== undefined && { port: parsePort(port) }) }]
}

const variablePattern = /^[a-z_]\w*$/i

function parseVariables(text: string, previous: readonly string[] = []): readonly string[] {
  if (!variablePattern.test(text))
    throw new InvalidArgumentError('Use letters, digits and _ for the name of a variable.')
  return [...previous, text]
}

/** Parses `NAME[=VARIABLE]`; the default variable of `alice` is `ALICE_USER_ID`. */
export function parseUser(text: string, previous: readonly UserFlag[] = []): readonly UserFlag[] {
  const [name = '', variable = `${name.toUpperCase().replaceAll('-', '_')}_USER_ID`, ...rest] = text.split('=')
  if (!/^[a-z][-\w]*$/i.test(name) || !variablePattern.test(variable) || rest.length > 0) {
    throw new InvalidArgumentError(
      'Use name or name=VARIABLE; both consist of letters, digits and _, and a name also of hyphens.',
    )
  }
  if (previous.some((user) => user.variable === variable && user.name !== name)) {
    throw new InvalidArgumentError(`Another user has the variable ${variable}: use name=VARIABLE.`)
  }
  return [...previous, { name, variable }]
}

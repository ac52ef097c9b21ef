import { wellKnownPort } from '@acs-kit/communication-emulator'
import { settings } from '@acs-kit/service-settings'
import { Command, InvalidArgumentError, Option } from 'commander'

export const defaultPorts = { service: 8080, emulator: wellKnownPort, demo: 5173 }

/** Options of every program that starts a stack. */
export interface StackOptions {
  readonly port: number
  readonly emulatorPort: number
  readonly demoPort: number
  readonly allowOrigin?: readonly string[]
  readonly keys?: string
}

/** Returns a command that prints its usage after a mistake. */
export function createCommand(name: string, description: string): Command {
  return new Command(name).description(description).showHelpAfterError().allowExcessArguments(false)
}

export function addStackOptions(command: Command): Command {
  return command
    .addOption(portOption('--port <number>', 'port of the token service', defaultPorts.service))
    .addOption(portOption('--emulator-port <number>', 'port of the emulator', defaultPorts.emulator))
    .addOption(demoPortOption())
    .option(
      '--allow-origin <origin>',
      'origin whose pages may call the token service, in addition to those of this machine; may be repeated',
      readOrigin,
    )
    .option('--keys <folder>', "folder of the emulator's certificate authority (default: one per user)")
}

export function demoPortOption(): Option {
  return portOption('--demo-port <number>', 'port of the demo', defaultPorts.demo)
}

export function toPorts({ port, emulatorPort, demoPort }: StackOptions) {
  return { service: port, emulator: emulatorPort, demo: demoPort }
}

function portOption(flags: string, description: string, port: number): Option {
  return new Option(flags, `${description}; 0 takes a free one`).default(port).argParser(readPort)
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('Expected a number from 0 to 65535.')
}

function readOrigin(text: string, previous: readonly string[] = []): readonly string[] {
  try {
    return [...previous, ...settings.ALLOWED_ORIGINS.parse(text)]
  } catch (error) {
    throw new InvalidArgumentError(`It ${(error as Error).message}.`)
  }
}

import { wellKnownPort } from '@acs-kit/communication-emulator'
import { origins } from '@acs-kit/service-settings/setting'
import { createCommand } from '@acs-kit/infra/command-line'
import { InvalidArgumentError, Option, type Command } from 'commander'

export const defaultPorts = { service: 8080, emulator: wellKnownPort, demo: 5173 }

const freePort = '0 takes a free one'

/** Options of every program that starts a stack. */
export interface StackOptions {
  readonly port: number
  readonly emulatorPort: number
  readonly demoPort: number
  readonly allowOrigin?: readonly string[]
  readonly keys?: string
}

/** Creates a command whose messages start like those of `runProgram`. */
export function createProgram(invocation: string, description: string): Command {
  return createCommand({ label: 'acs-kit', invocation }, description)
}

export function addStackOptions(command: Command): Command {
  return command
    .addOption(portOption('--port <number>', `port of the token service; ${freePort}`, defaultPorts.service))
    .addOption(portOption('--emulator-port <number>', `port of the emulator; ${freePort}`, defaultPorts.emulator))
    .addOption(portOption('--demo-port <number>', `port of the demo; ${freePort}`, defaultPorts.demo))
    .option(
      '--allow-origin <origin>',
      'origin whose pages may call the token service, in addition to those of this machine; may be repeated',
      readOrigin,
    )
    .option('--keys <folder>', "folder of the emulator's certificate authority (default: one per user)")
}

export function toPorts({ port, emulatorPort, demoPort }: StackOptions) {
  return { service: port, emulator: emulatorPort, demo: demoPort }
}

export function portOption(flags: string, description: string, port: number): Option {
  return new Option(flags, description).default(port).argParser(readPort)
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('expected a number from 0 to 65535')
}

function readOrigin(text: string, previous: readonly string[] = []): readonly string[] {
  try {
    return [...previous, ...origins(text)]
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

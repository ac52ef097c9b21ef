import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import spawn from 'cross-spawn'
import { startEmulator } from '../start-emulator.ts'
import { applyEnvironment, createEnvironment, type Environment } from '../environment.ts'
import { addNames, toEmulatorOptions, type EmulatorFlags, type NameFlags } from './options.ts'
import { printLine, signals } from './process.ts'

/** A user to create, and the variable for their communication user id. */
export interface UserFlag {
  readonly name: string
  readonly variable: string
}

export interface ExecFlags extends EmulatorFlags, NameFlags {
  readonly user?: readonly UserFlag[]
}

/** Runs a command with its own emulator, and exits with the command's code. */
export async function exec(command: readonly string[], flags: ExecFlags): Promise<void> {
  const { user: users = [], connectionStringAs, endpointAs, ...emulatorFlags } = flags
  await using emulator = await startEmulator(toEmulatorOptions(emulatorFlags))
  const environment = addNames(createEnvironment(emulator, process.env), { connectionStringAs, endpointAs })
  // The name is the custom id, so that a user stays the same in a data folder.
  const ids = users.map(({ name, variable }) => [variable, emulator.createIdentity({ customId: name })])
  const variables = { ...environment.variables, ...Object.fromEntries(ids) }
  process.exitCode = await run(command, { ...environment, variables })
}

async function run([program = '', ...args]: readonly string[], environment: Environment): Promise<number> {
  if (environment.warning !== undefined) printLine(environment.warning)
  // A terminal sends SIGINT to the command as well; other signals are forwarded, and the command decides when to exit. The handlers
  // are in place before it starts, so that a signal at that moment does not leave it running.
  let child: ChildProcess | undefined
  for (const signal of signals) process.on(signal, () => signal !== 'SIGINT' && child?.kill(signal))
  child = spawn(program, args, { stdio: 'inherit', env: applyEnvironment(environment, process.env) })
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code ?? 128 + constants.signals[signal!]
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    printLine(`${program} could not be run: ${message}: check its name and permissions, and PATH`)
    return code === 'ENOENT' ? 127 : 126
  }
}

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import spawn from 'cross-spawn'
import { startEmulator, type Emulator } from '../emulator.ts'
import { applyEnvironment, createEnvironment } from '../environment.ts'
import { toEmulatorOptions, type EmulatorFlags } from './options.ts'
import { printLine, signals } from './process.ts'

/** Runs a command with its own emulator, and exits with the command's code. */
export async function exec(command: readonly string[], flags: EmulatorFlags): Promise<void> {
  await using emulator = await startEmulator(toEmulatorOptions(flags))
  process.exitCode = await run(command, emulator)
}

async function run([program = '', ...args]: readonly string[], emulator: Emulator): Promise<number> {
  const environment = createEnvironment(emulator, process.env)
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

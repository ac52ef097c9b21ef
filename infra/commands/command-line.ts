import { resolve } from 'node:path'
import { Command } from 'commander'

export interface CommandNames {
  /** Starts each message. */
  readonly label: string
  /** Command line for the usage, without arguments. */
  readonly invocation: string
}

/**
 * Creates a command that reports invalid arguments in one line, with its usage.
 *
 * @param names label of its messages, and the command line that runs it
 * @param description first line of its help
 * @returns the command, without arguments and options
 * @example
 * createCommand({ label: 'teardown', invocation: 'npm run teardown --' }, 'destroy a stack').argument('<stack>')
 */
export function createCommand({ label, invocation }: CommandNames, description: string): Command {
  const command = new Command(invocation).description(description)
  return command.configureOutput({
    outputError: (text, write) => {
      const issue = text
        .replace(/^error: /, '')
        .replace(' is invalid. ', ' is invalid: ')
        .trim()
        .replace(/\.$/, '')
        .replaceAll(/\s+/g, ' ')
      write(`${label}: ${issue}: usage: ${invocation} ${command.usage()}\n`)
    },
  })
}

/**
 * Resolves the path of a file against the folder in which the user runs the command. npm runs scripts in another folder.
 *
 * @param path as typed
 * @returns the absolute path
 * @example
 * command.argument('<file>', 'backup', resolvePath)
 */
export function resolvePath(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '', path)
}

/**
 * Runs a command. Prints a failure in one line and sets the exit code 1.
 *
 * @param label starts the line
 * @param command is run with the arguments of this process
 * @example
 * await runCommand('teardown', command)
 */
export async function runCommand(label: string, command: Command): Promise<void> {
  try {
    await command.parseAsync()
  } catch (error) {
    process.stderr.write(`${label}: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}

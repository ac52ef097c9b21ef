import { Command } from 'commander'

/** Creates a command of the root's package.json that reports mistakes and failures in one line. */
export function createCommand(name: string, description: string): Command {
  const command = new Command(`pnpm ${name}`).description(description)
  return command.configureOutput({
    outputError: (text, write) => {
      const issue = text
        .replace(/^error: /, '')
        .trim()
        .replaceAll(/\s+/g, ' ')
      write(`${name}: ${issue}: usage: ${command.name()} ${command.usage()}\n`)
    },
  })
}

/** Runs a command and prints its failure. */
export async function runCommand(command: Command): Promise<void> {
  try {
    await command.parseAsync()
  } catch (error) {
    process.stderr.write(`${command.name().replace('pnpm ', '')}: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}

import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { wellKnownPort } from './access-key.ts'
import { env } from './commands/env.ts'
import { exec } from './commands/exec.ts'
import {
  addEmulatorOptions,
  addNameOptions,
  addRunningOptions,
  createAdminTokenOption,
  parseUser,
} from './commands/options.ts'
import { printLine } from './commands/process.ts'
import { signIn } from './commands/sign-in.ts'
import { start } from './commands/start.ts'
import { shellFormats } from './shell-format.ts'
import { UnusableFolderError } from './unusable-folder-error.ts'

function createProgram(): Command {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const program = new Command('communication-emulator')
    .description('Local emulator of Azure Communication Services: identities, access tokens and chat over HTTPS')
    .version((JSON.parse(manifest) as { version: string }).version)
    .enablePositionalOptions()
  addEmulatorOptions(program.command('start'), wellKnownPort)
    .description('run an emulator until it is stopped')
    .action(start)
  addNameOptions(addEmulatorOptions(program.command('exec'), 0))
    .description('run a command with its own emulator, and exit with its code')
    .argument('<command...>', 'command with its arguments, after --')
    .option('--user <name[=variable]>', 'create a user, and set a variable to their id; may be repeated', parseUser)
    .passThroughOptions()
    .action(exec)
  addNameOptions(addRunningOptions(program.command('env'), wellKnownPort))
    .description('print the variables of programs that use a running emulator: eval "$(communication-emulator env)"')
    .addOption(new Option('--shell <name>', 'shell to print the variables for').choices(shellFormats).default('sh'))
    .action(env)
  const signInCommand = program
    .command('sign-in')
    .description('print a sign-in token of a running emulator: TOKEN=$(communication-emulator sign-in alice)')
    .argument('<user>', 'any name; the same name is always the same user')
    .option('--audience <uri>', 'audience of the token', 'api://acs-kit')
    .option(
      '--scope <name...>',
      "scopes of the token (default: those of the audience's .default, usually access_as_user)",
    )
    .option('--role <name...>', 'app roles of the user (default: none)')
    .option('--client-id <id>', 'application that acquires the token (default: the public application)')
    .option('--lifetime <minutes>', 'lifetime of the token (default: 60)', Number)
  addRunningOptions(signInCommand, wellKnownPort)
    .addOption(createAdminTokenOption('token for the administration of an emulator on another machine'))
    .action(signIn)
  return program
}

function formatError(error: unknown): string {
  if (error instanceof UnusableFolderError) return error.format({ keyFolder: '--keys', dataFolder: '--data' })
  const { code = '', port, message, syscall } = error as NodeJS.ErrnoException & { port?: number }
  if (code === 'EADDRINUSE') {
    return `port ${port} is in use: stop the program that uses it (another emulator?), or choose another port with --port`
  }
  if (code === 'EACCES' && syscall === 'listen') return `${message}: choose a port above 1023 with --port`
  if (syscall === 'listen' || syscall === 'getaddrinfo') {
    return `${message}: choose an address of this machine with --host`
  }
  if (/^(?:ENOSPC|EDQUOT)$/.test(code) || (code === 'ERR_SQLITE_ERROR' && message.includes('disk is full'))) {
    return `${message}: free some disk space, or choose other folders with --keys and --data`
  }
  if (/^(?:EACCES|EPERM|EROFS)$/.test(code)) return `${message}: choose writable folders with --keys and --data`
  return message
}

// A closed pipe (`| head -1`) ends the program, like a signal.
process.stdout.on('error', () => process.exit())

try {
  await createProgram().parseAsync()
} catch (error) {
  printLine(formatError(error))
  process.exitCode = 1
}

import { UnusableFolderError } from '@acs-kit/communication-emulator'

const portOptions = '--port, --emulator-port or --demo-port'
const alternatives = new Intl.ListFormat('en-GB', { type: 'disjunction' })

/**
 * Runs a program: aborts `signal` on SIGINT, SIGTERM and SIGHUP, and prints an error as one line. `folderOptions` are the
 * options and variables that choose the folders it writes to.
 */
export async function runProgram(
  main: (signal: AbortSignal) => Promise<unknown>,
  folderOptions: readonly string[] = [],
): Promise<void> {
  // Without a reader, the program still has to clean up.
  process.stdout.on('error', () => {})
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // Not `once`: execa, which Pulumi's Automation API uses, ends a process without listeners. A second signal ends it.
    process.on(name, () => (stop.signal.aborted ? process.exit(1) : stop.abort(new Error('interrupted'))))
  }
  try {
    await main(stop.signal)
  } catch (error) {
    printError(error, folderOptions)
    process.exitCode = 1
  }
}

export function printError(error: unknown, folderOptions?: readonly string[]): void {
  process.stderr.write(`acs-kit: ${formatError(error, folderOptions)}\n`)
}

/** Returns the message of an error, with a remedy if the cause is known and the message does not contain one. */
export function formatError(error: unknown, folderOptions: readonly string[] = []): string {
  if (error instanceof UnusableFolderError) {
    const hasData = folderOptions.includes('--data')
    return error.format({ keyFolder: '--keys', ...(hasData && { dataFolder: '--data' }) })
  }
  const { code = '', port, syscall = '', message } = error as NodeJS.ErrnoException & { port?: number }
  // A child process reports its error only as text.
  const [, usedPort, vitePort] = /EADDRINUSE.*?:(\d+)|[Pp]ort (\d+) is already in use/.exec(message) ?? []
  if (code === 'EADDRINUSE' || usedPort || vitePort)
    return `port ${port ?? usedPort ?? vitePort} is in use: stop the program that uses it, or choose another with ${portOptions}`
  const [, reservedPort] = /listen EACCES.*?:(\d+)/.exec(message) ?? []
  if (reservedPort) return `this user may not listen on port ${reservedPort}: choose one above 1023 with ${portOptions}`
  const folders = alternatives.format([...folderOptions, 'TMPDIR'])
  if (/ENOSPC|EDQUOT|no space left/.test(message))
    return `${message}: free some disk space, or choose other folders with ${folders}`
  if (/^(?:EACCES|EEXIST|ENOTDIR|EPERM|EROFS)$/.test(code) && !/^(?:listen|spawn)/.test(syscall))
    return `${message}: choose writable folders with ${folders}`
  return message
}

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`)
}

import { UnusableFolderError } from '@acs-kit/communication-emulator'

const portOptions = '--port, --emulator-port or --demo-port'

/** Runs a program: aborts `signal` on SIGINT, SIGTERM and SIGHUP, and prints an error as one line. */
export async function runProgram(main: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
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
    printError(error)
    process.exitCode = 1
  }
}

export function printError(error: unknown): void {
  process.stderr.write(`acs-kit: ${formatError(error)}\n`)
}

/** Returns the message of an error, with a remedy if the cause is known. */
export function formatError(error: unknown): string {
  if (error instanceof UnusableFolderError) return error.format({ keyFolder: '--keys', dataFolder: '--data' })
  const { code = '', port, syscall = '', message } = error as NodeJS.ErrnoException & { port?: number }
  // A child process reports its error only as text.
  const [, usedPort, vitePort] = /EADDRINUSE.*?:(\d+)|[Pp]ort (\d+) is already in use/.exec(message) ?? []
  if (code === 'EADDRINUSE' || usedPort || vitePort)
    return `port ${port ?? usedPort ?? vitePort} is in use: stop the program that uses it, or choose another with ${portOptions}`
  const [, reservedPort] = /listen EACCES.*?:(\d+)/.exec(message) ?? []
  if (reservedPort) return `this user may not listen on port ${reservedPort}: choose one above 1023 with ${portOptions}`
  if (/ENOSPC|EDQUOT/.test(message))
    return `${message}: free some disk space, or choose other folders with --data and TMPDIR`
  if (/^(?:EACCES|EEXIST|ENOTDIR|EPERM|EROFS)$/.test(code) && !/^(?:listen|spawn)/.test(syscall))
    return `${message}: choose writable folders with --data and TMPDIR`
  return message
}

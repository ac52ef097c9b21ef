const portNames = '--port, --emulator-port and --demo-port'

/** Runs a program for a person: `signal` tells that it shall end, and what goes wrong is said in a line. */
export async function runProgram(main: (signal: AbortSignal) => Promise<void>): Promise<void> {
  // Whoever read this may have gone; it still cleans up.
  process.stdout.on('error', () => {})
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // Not `once`: execa, under Pulumi's Automation API, ends a process that has no listener left. A second signal ends it.
    process.on(name, () => (stop.signal.aborted ? process.exit(1) : stop.abort(new Error('interrupted'))))
  }
  try {
    await main(stop.signal)
  } catch (error) {
    process.stderr.write(`acs-kit: ${explain(error)}\n`)
    process.exitCode = 1
  }
}

/** For a person; with a way out where the cause is known. */
export function explain(error: unknown): string {
  const { code, port, syscall = '', message } = error as NodeJS.ErrnoException & { port?: number }
  const taken = /EADDRINUSE.*?:(\d+)|[Pp]ort (\d+) is already in use/.exec(message)
  if (code === 'EADDRINUSE' || taken)
    return `port ${port ?? taken?.[1] ?? taken?.[2]} is taken: stop the program that has it, or choose others with ${portNames}`
  // A child process reports its error only as text.
  const [, reserved] = /listen EACCES.*?:(\d+)/.exec(message) ?? []
  if (reserved) return `this user may not listen on port ${reserved}: choose one above 1023 with ${portNames}`
  if (/^(?:EACCES|EEXIST|ENOTDIR|EPERM|EROFS)$/.test(code ?? '') && !/^(?:listen|spawn)/.test(syscall))
    return `${message}: set HOME, XDG_DATA_HOME, TMPDIR or --data, whichever leads there, to a folder that this user may write`
  return message
}

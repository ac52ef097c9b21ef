/** Runs a program for a person: `signal` tells that it shall end, and what goes wrong is said in a line. */
export async function runProgram(main: (signal: AbortSignal) => Promise<void>): Promise<void> {
  // Whoever read this may have gone; it still cleans up.
  process.stdout.on('error', () => {})
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(name, () => stop.abort(new Error('interrupted')))
  try {
    await main(stop.signal)
  } catch (error) {
    process.stderr.write(`acs-kit: ${explain(error)}\n`)
    process.exitCode = 1
  }
}

/** For a person; with a way out where the cause is known. */
export function explain(error: unknown): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number }
  const taken = /EADDRINUSE.*?:(\d+)|[Pp]ort (\d+) is already in use/.exec(message)
  if (/^(?:EACCES|EEXIST|ENOTDIR|EPERM|EROFS)$/.test(code ?? ''))
    return `${message}: set HOME or XDG_DATA_HOME to a folder that this user may write`
  if (code !== 'EADDRINUSE' && !taken) return message
  return `port ${port ?? taken?.[1] ?? taken?.[2]} is taken: stop the program that has it, or choose others with --port, --emulator-port and --demo-port`
}

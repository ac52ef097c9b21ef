/** Signals that end a command. */
export const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Prints a line on standard error, since standard output is for results. */
export function printLine(line: string): void {
  process.stderr.write(`communication-emulator: ${line}\n`)
}

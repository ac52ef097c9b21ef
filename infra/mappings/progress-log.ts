const intervalMs = 10_000

export interface ProgressLog {
  readonly print: (line: string) => void
  /** Prints a line unless one was printed within the last ten seconds. */
  readonly update: (format: () => string) => void
}

/** Creates a log for terminals and files. `now` is in milliseconds, of any clock. */
export function createProgressLog(print: (line: string) => void, now: () => number): ProgressLog {
  let printedMs = now()
  return {
    print,
    update(format) {
      if (now() - printedMs < intervalMs) return
      printedMs = now()
      print(format())
    },
  }
}

/** Lets a signal end this process the ordinary way, so that what it started ends with it. */
export function exitOnSignals(): void {
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
}

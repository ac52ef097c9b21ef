import { setTimeout as sleep } from 'node:timers/promises'

/** Runs the work at once and then with this pause in between, one run at a time, until the signal. It must not throw. */
export async function repeat(work: () => Promise<void>, pauseMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await work()
    await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {})
  }
}

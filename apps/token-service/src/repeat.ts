import { setTimeout as sleep } from 'node:timers/promises'

/** Runs the work at once and then with the pauses that it asks for, one run at a time, until the signal. It must not throw. */
export async function repeat(work: () => Promise<number>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const pauseMs = await work()
    await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {})
  }
}

import type { Log } from './log.ts'
import { runStep } from './steps.ts'

export type BackgroundTasks = ReturnType<typeof createBackgroundTasks>

/** Runs tasks that no request waits for. */
export function createBackgroundTasks(log: Log) {
  const running = new Set<Promise<unknown>>()
  return {
    /** Logs a failure: every task is either optional or recorded in the journal. */
    run(purpose: string, task: () => Promise<unknown>): void {
      const attempt: Promise<unknown> = runStep({ name: purpose }, task)
        .catch((error: unknown) => log.warn({ err: error }, `could not ${purpose}`))
        .finally(() => running.delete(attempt))
      running.add(attempt)
    },
    /** Resolves when no task is running. */
    async settle(): Promise<void> {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

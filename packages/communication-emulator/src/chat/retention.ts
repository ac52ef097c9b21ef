import type { Clock } from '../clock.ts'
import type { ChatThreads } from './chat-threads.ts'
import type { ThreadOperations } from './thread-operations.ts'

/** Deletes threads when their retention ends by the emulator's clock. */
export function createRetention(clock: Clock, threads: ChatThreads, { remove }: ThreadOperations) {
  const stop = clock.onMove(apply)

  // Without a timer: every request applies it first, so that no client can observe an expired thread.
  function apply(): void {
    const now = clock.now()
    if (threads.getNextDeletion() > now) return
    for (const thread of threads.listExpired(now)) remove(thread)
  }

  return { apply, stop }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/**
 * Repeats the work from `listen` to `close`, one run at a time. It returns the pause in milliseconds, and must not throw. An app
 * that does not listen, such as one under test, does no background work.
 */
export function repeatWhileListening(app: FastifyInstance, work: () => Promise<number>): void {
  const closing = new AbortController()
  app.addHook('onListen', (done) => {
    // After the caller of `listen`: the first run takes a while.
    setImmediate(() => void repeat(work, closing.signal))
    done()
  })
  app.addHook('preClose', (done) => {
    closing.abort()
    done()
  })
}

async function repeat(work: () => Promise<number>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const pauseMs = await work()
    await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {})
  }
}

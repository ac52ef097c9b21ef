import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { ChatConnection, type ChatConnectionOptions } from '@acs-kit/test-support/chat-connection'
import { ChatUser } from '@acs-kit/test-support/chat-user'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { expectHealthy } from '../fuzz/health.ts'

/** Almost the largest content: the buffers of the system hold only a few hundred events with it. */
const content = 'x'.repeat(27 * 1024)
const warmUpEdits = 500
/** Time in which an event must reach a client that reads, also on a busy machine. */
const maxDelayMs = 5000
/** Bytes for slow clients until they are disconnected, and heap that Node keeps after it has used it once. */
const maxGrowthMiB = 192
/** Two heartbeats of 25 seconds, and a margin. */
const maxSilenceMs = 70_000
/** Runs the heartbeats of the emulator at a signal instead of every 25 seconds. */
const heartbeatsBySignal = `data:text/javascript,${encodeURIComponent(`
  const { setInterval } = globalThis
  globalThis.setInterval = (run, ms, ...args) => {
    if (ms !== 25_000) return setInterval(run, ms, ...args)
    process.on('SIGUSR2', run)
    return setInterval(() => {}, ms)
  }`)}`

export interface ChatHostileOptions {
  /** Clients of each kind. */
  readonly clients: number
  /** Edits of a message, each of which is an event for all clients of the thread, except for those that vanish. */
  readonly edits: number
  /** Whether the drill causes the heartbeats instead of waiting for them. Default: false. */
  readonly causesHeartbeats?: boolean
}

/**
 * Connects clients that do not read while many events are sent, and clients that vanish without closing their connection. Throws
 * unless the emulator disconnects them, keeps its memory within a limit, and sends each event in time to a client that reads.
 */
export async function runChatHostileDrill({ clients, edits, causesHeartbeats = false }: ChatHostileOptions) {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({
    keyFolder: keys.path,
    ...(causesHeartbeats && { preloads: [heartbeatsBySignal] }),
  })
  const [reader, slow, vanished] = [
    await ChatUser.create(emulator),
    await ChatUser.create(emulator),
    await ChatUser.create(emulator),
  ]
  const threadId = await reader.createThread('hostile', [slow])
  const path = `/${threadId}/messages/${await reader.sendMessage(threadId, content)}`
  using stack = new DisposableStack()
  const open = async (user: ChatUser, options?: ChatConnectionOptions) =>
    stack.use(await ChatConnection.open(user, options))
  const openMany = (user: ChatUser, options?: ChatConnectionOptions) =>
    Promise.all(Array.from({ length: clients }, () => open(user, options)))

  let received = Promise.withResolvers<void>()
  const reading = await open(reader, { onEvent: () => received.resolve() })
  const edit = async () => {
    received = Promise.withResolvers()
    await reader.send('PATCH', path, { content })
    const error = new Error(`an event did not reach a client that reads within ${maxDelayMs} ms`)
    const timer = setTimeout(() => received.reject(error), maxDelayMs)
    await received.promise.finally(() => clearTimeout(timer))
  }

  const vanishedOnes = await openMany(vanished, { responds: false })
  for (let count = 0; count < warmUpEdits; count++) await edit()
  const beforeMiB = await residentMiB(emulator)
  const slowOnes = await openMany(slow)
  for (const { socket } of slowOnes) socket.pause()
  const start = performance.now()
  for (let count = 0; count < edits; count++) await edit()
  const millisecondsPerEvent = (performance.now() - start) / edits
  const afterMiB = await residentMiB(emulator)
  if (afterMiB > beforeMiB + maxGrowthMiB) {
    throw new Error(`the memory grew from ${beforeMiB} to ${afterMiB} MiB, expected at most ${maxGrowthMiB} MiB more`)
  }
  // Only a client that reads notices that it is disconnected.
  for (const { socket } of slowOnes) socket.resume()
  await expectClosed(slowOnes, 'does not read', maxDelayMs)
  for (let beats = causesHeartbeats ? 2 : 0; beats > 0; beats--) {
    process.kill(emulator.server.pid, 'SIGUSR2')
    // The first event may precede the heartbeat. After the second, the reader has responded.
    for (let count = 0; count < 2; count++) await edit()
  }
  await expectClosed(vanishedOnes, 'does not respond', causesHeartbeats ? maxDelayMs : maxSilenceMs)
  if (!reading.isOpen) throw new Error('the emulator disconnected a client that responds to its heartbeats')
  await edit()
  await expectHealthy(emulator)
  return { events: edits, millisecondsPerEvent: Math.round(millisecondsPerEvent), beforeMiB, afterMiB }
}

async function residentMiB({ server }: EmulatorProcess): Promise<number> {
  return Math.round((await server.residentKilobytes()) / 1024)
}

async function expectClosed(connections: readonly ChatConnection[], fault: string, timeoutMs: number): Promise<void> {
  await Promise.all(connections.map((connection) => connection.closed(timeoutMs))).catch((cause: unknown) => {
    throw new Error(`the emulator did not disconnect a client that ${fault} within ${timeoutMs} ms`, { cause })
  })
}

import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { ChatConnection } from '@acs-kit/test-support/chat-connection'
import { ChatUser } from '@acs-kit/test-support/chat-user'
import type { ServerProcess } from '@acs-kit/test-support/server-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import type { WebSocket } from 'ws'
import { compare } from '../../interleaved.ts'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { BareProcess } from './bare-process.ts'

const users = 200
const connections = 1000
const warmUpConnections = 100
/** Length of the packet that delivers a short message. */
const packetLength = 1000

/** Delivery of a message to a thousand connections, and memory of each, next to bare WebSockets. */
export async function benchmarkManyConnections(): Promise<Measurement[]> {
  return [await measureDelivery(), await measureMemory()]
}

async function measureDelivery(): Promise<Measurement> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  await using bare = await BareProcess.start({ keyFolder: keys.path, ca: emulator.ca })
  const arrivals = new Arrivals()
  const [sender, ...others] = await createUsers(emulator, users)
  const path = `/${await sender!.createThread('many', others)}/messages`
  using _ = await openConnections([sender!, ...others], connections, () => arrivals.add())
  const sockets = await openBare(bare, connections)
  for (const socket of sockets) socket.on('message', () => arrivals.add())
  const packet = 'x'.repeat(packetLength)
  const measurement = await compare({
    name: `a message until its last event at ${connections} connections`,
    unit: 'ms',
    rounds: 11,
    measure: () => arrivals.measure(() => sender!.send('POST', path, { content: 'to all' })),
    reference: { name: 'broadcast of a bare `ws`', measure: () => arrivals.measure(() => bare.broadcast(packet)) },
  })
  for (const socket of sockets) socket.terminate()
  return measurement
}

async function measureMemory(): Promise<Measurement> {
  using keys = new TemporaryFolder()
  const preloads = [import.meta.resolve('../../collect-garbage.ts')]
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path, preloads })
  await using bare = await BareProcess.start({ keyFolder: keys.path, ca: emulator.ca, preloads })
  const own = await createUsers(emulator, users)
  using stack = new DisposableStack()
  const value = await measureKilobytes(emulator.server, async (amount) => stack.use(await openConnections(own, amount)))
  const reference = await measureKilobytes(bare.server, (amount) => openBare(bare, amount))
  // TLS and `ws` occupy most of it, which no server can avoid.
  return createMeasurement({
    name: 'resident memory for a connection, beyond a bare one',
    value: value - reference,
    unit: 'kB',
    reference: { name: 'for one of a bare `ws`', value: reference },
    goal: { of: 'value', is: 'below', limit: 20 },
  })
}

/** Kilobytes that a process occupies for each of many connections, after a few that grow its code and heap. */
async function measureKilobytes(server: ServerProcess, open: (amount: number) => Promise<unknown>): Promise<number> {
  await open(warmUpConnections)
  const before = await server.residentKilobytes()
  await open(connections)
  return ((await server.residentKilobytes()) - before) / connections
}

/** Counts the events or messages that have arrived. */
class Arrivals {
  #remaining = 0
  #onLast = () => {}

  add(): void {
    if (--this.#remaining === 0) this.#onLast()
  }

  /** Milliseconds from the start of a request until all connections have received what it sends. */
  async measure(send: () => Promise<unknown>): Promise<number> {
    this.#remaining = connections
    const last = new Promise<number>((resolve) => (this.#onLast = () => resolve(performance.now())))
    const start = performance.now()
    await send()
    return (await last) - start
  }
}

async function createUsers(emulator: EmulatorProcess, amount: number): Promise<ChatUser[]> {
  const created: ChatUser[] = []
  while (created.length < amount) created.push(await ChatUser.create(emulator))
  return created
}

/** Opens connections of users by turns, as for users with several tabs. */
async function openConnections(own: readonly ChatUser[], amount: number, onEvent = () => {}): Promise<DisposableStack> {
  const stack = new DisposableStack()
  for (let index = 0; index < amount; index++) {
    stack.use(await ChatConnection.open(own[index % own.length]!, { onEvent }))
  }
  return stack
}

async function openBare(bare: BareProcess, amount: number): Promise<WebSocket[]> {
  const sockets: WebSocket[] = []
  while (sockets.length < amount) sockets.push(await bare.connect())
  return sockets
}

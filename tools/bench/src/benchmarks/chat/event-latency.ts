import { once } from 'node:events'
import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { ChatConnection } from '@acs-kit/test-support/chat-connection'
import { ChatUser } from '@acs-kit/test-support/chat-user'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compareRounds, measureRounds } from '../../interleaved.ts'
import { stayAwake } from '../../load.ts'
import type { Measured, Measurement } from '../../measurement.ts'
import { BareProcess } from './bare-process.ts'

const rounds = 5
const samples = 1000
const content = 'x'.repeat(100)

/** Sends something. Returns the time at which it has arrived. */
type Send = () => Promise<number>

type Percentile = 'median' | '99th percentile'
type Latencies = Readonly<Record<Percentile, number>>

/** Time from the start of a request that sends a message to its event at a connected recipient, next to bare WebSockets. */
export async function benchmarkEventLatency(): Promise<Measurement[]> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  await using bare = await BareProcess.start({ keyFolder: keys.path, ca: emulator.ca })
  const sender = await ChatUser.create(emulator)
  const recipient = await ChatUser.create(emulator)
  const path = `/${await sender.createThread('latency', [recipient])}/messages`
  let onEvent: (() => void) | undefined
  using _ = await ChatConnection.open(recipient, { onEvent: () => onEvent?.() })
  const socket = await bare.connect()

  const sendMessage = async () => {
    const arrival = new Promise<number>((resolve) => (onEvent = () => resolve(performance.now())))
    await sender.send('POST', path, { content })
    return arrival
  }
  const nextMessage = () => once(socket, 'message').then(() => performance.now())
  const echo = () => {
    socket.send(content)
    return nextMessage()
  }
  const push = async () => {
    const arrival = nextMessage()
    await bare.broadcast(content)
    return arrival
  }
  // Until the emulator runs optimized code.
  for (const send of [sendMessage, sendMessage, sendMessage, echo, push]) await measureLatencies(send)
  const [messages, echoes, pushes] = await measureRounds(
    rounds,
    [sendMessage, echo, push].map((send) => () => measureLatencies(send)),
  )
  const compareLatency = (percentile: Percentile, bare: Latencies[], reference: string, goal?: Measured['goal']) =>
    compareRounds({
      name: `a message until its event, ${percentile}`,
      values: messages!.map((latencies) => latencies[percentile]),
      unit: 'ms',
      reference: { name: reference, values: bare.map((latencies) => latencies[percentile]) },
      ...(goal && { goal }),
    })
  const measurements = [
    compareLatency('median', echoes!, 'echo of a bare `ws`', { of: 'ratio', is: 'below', limit: 3 }),
    compareLatency('99th percentile', echoes!, 'echo of a bare `ws`'),
    compareLatency('median', pushes!, 'bare HTTPS POST and `ws`'),
  ]
  socket.terminate()
  return measurements
}

/** Milliseconds until something that is sent has arrived, of many that are sent one after the other. */
async function measureLatencies(send: Send): Promise<Latencies> {
  using _ = stayAwake()
  const latencies: number[] = []
  while (latencies.length < samples) {
    const start = performance.now()
    latencies.push((await send()) - start)
  }
  const sorted = latencies.toSorted((a, b) => a - b)
  return { median: sorted[samples * 0.5]!, '99th percentile': sorted[samples * 0.99]! }
}

import { once } from 'node:events'
import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { ChatConnection } from '@acs-kit/test-support/chat-connection'
import { ChatUser } from '@acs-kit/test-support/chat-user'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compare } from '../../interleaved.ts'
import { stayAwake } from '../../load.ts'
import type { Measurement } from '../../measurement.ts'
import { BareProcess } from './bare-process.ts'

const samples = 1000
const content = 'x'.repeat(100)

/** Sends something. Returns the time at which it has arrived. */
type Send = () => Promise<number>

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
  for (const send of [sendMessage, sendMessage, sendMessage, echo, push]) await measureLatency(send, 0.5)
  const names = { measured: 'a message until its event', echo: 'echo of a bare `ws`', push: 'bare HTTPS POST and `ws`' }
  const measurements = [
    await compare({
      name: `${names.measured}, median`,
      unit: 'ms',
      measure: () => measureLatency(sendMessage, 0.5),
      reference: { name: names.echo, measure: () => measureLatency(echo, 0.5) },
      goal: { of: 'ratio', is: 'below', limit: 3 },
    }),
    await compare({
      name: `${names.measured}, 99th percentile`,
      unit: 'ms',
      measure: () => measureLatency(sendMessage, 0.99),
      reference: { name: names.echo, measure: () => measureLatency(echo, 0.99) },
    }),
    await compare({
      name: `${names.measured}, median`,
      unit: 'ms',
      measure: () => measureLatency(sendMessage, 0.5),
      reference: { name: names.push, measure: () => measureLatency(push, 0.5) },
    }),
  ]
  socket.terminate()
  return measurements
}

/** Milliseconds until something that is sent has arrived: a percentile of many, one after the other. */
async function measureLatency(send: Send, percentile: number): Promise<number> {
  using _ = stayAwake()
  const latencies: number[] = []
  while (latencies.length < samples) {
    const start = performance.now()
    latencies.push((await send()) - start)
  }
  return latencies.toSorted((a, b) => a - b)[Math.floor(samples * percentile)]!
}

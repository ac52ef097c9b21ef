import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { finished } from 'node:stream/promises'
import { connect as connectTls } from 'node:tls'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'

const closeTimeoutMs = 60_000

export function openTcp({ port }: EmulatorProcess): Promise<Socket> {
  return open(connectTcp(port, '127.0.0.1'), 'connect')
}

export function openTls({ port, ca }: EmulatorProcess): Promise<Socket> {
  return open(connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost' }), 'secureConnect')
}

async function open(socket: Socket, event: string): Promise<Socket> {
  await once(socket, event)
  // The emulator is expected to reset connections.
  return socket.setEncoding('latin1').on('error', () => {})
}

/** Returns what is received until the emulator closes the connection. Throws after a minute, with the name of this client. */
export async function receive(socket: Socket, client: string): Promise<string> {
  let received = ''
  socket.on('data', (text: string) => (received += text))
  const signal = AbortSignal.timeout(closeTimeoutMs)
  await finished(socket, { signal }).catch(() => undefined)
  socket.destroy()
  if (signal.aborted) throw new Error(`the emulator did not close the connection of ${client} within a minute`)
  return received
}

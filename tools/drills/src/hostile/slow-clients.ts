import type { Socket } from 'node:net'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { openTcp, openTls, receive } from './connection.ts'

const sendIntervalMs = 500
const headerStart = 'POST /identities HTTP/1.1\r\nHost: localhost\r\n'
const header = `${headerStart}Content-Length: 100000\r\n\r\n`

interface SlowClient {
  readonly name: string
  readonly open: (emulator: EmulatorProcess) => Promise<Socket>
  /** Sent at once. */
  readonly start?: string | Uint8Array
  /** Sent again and again. */
  readonly repeated?: string
  /** Ends the sending half after the start. */
  readonly ends?: boolean
}

const slowClients: readonly SlowClient[] = [
  { name: 'a client that sends nothing', open: openTcp },
  { name: 'a client that stops during its handshake', open: openTcp, start: Buffer.from('16030100c80100', 'hex') },
  { name: 'a client that sends headers slowly', open: openTls, start: headerStart, repeated: 'a: b\r\n' },
  { name: 'a client that sends its body slowly', open: openTls, start: header, repeated: ' ' },
  { name: 'a client that stops during its body', open: openTls, start: `${header}{`, ends: true },
]

/** Connects clients that never finish a request, `each` of every kind. Throws unless the emulator disconnects all of them. */
export async function connectSlowClients(emulator: EmulatorProcess, each: number): Promise<void> {
  const clients = slowClients.flatMap((client) => Array.from({ length: each }, () => client))
  await Promise.all(clients.map((client) => connect(emulator, client)))
}

async function connect(emulator: EmulatorProcess, { name, open, start = '', repeated, ends }: SlowClient) {
  const socket = await open(emulator)
  socket.write(start)
  if (ends) socket.end()
  const timer = setInterval(() => repeated !== undefined && socket.write(repeated), sendIntervalMs)
  await receive(socket, name).finally(() => clearInterval(timer))
}

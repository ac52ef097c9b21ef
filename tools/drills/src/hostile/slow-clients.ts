import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { Connection } from './connection.ts'

const sendIntervalMs = 500
const headerStart = 'POST /identities HTTP/1.1\r\nHost: localhost\r\n'
const header = `${headerStart}Content-Length: 100000\r\n\r\n`

interface SlowClient {
  readonly name: string
  readonly isTls: boolean
  /** Sent at once. */
  readonly start?: string | Uint8Array
  /** Sent again and again. */
  readonly repeated?: string
  /** Ends the sending half after the start. */
  readonly ends?: boolean
}

const slowClients: readonly SlowClient[] = [
  { name: 'a client that sends nothing', isTls: false },
  { name: 'a client that stops during its handshake', isTls: false, start: Buffer.from('16030100c80100', 'hex') },
  { name: 'a client that sends headers slowly', isTls: true, start: headerStart, repeated: 'a: b\r\n' },
  { name: 'a client that sends its body slowly', isTls: true, start: header, repeated: ' ' },
  { name: 'a client that stops during its body', isTls: true, start: `${header}{`, ends: true },
]

/** Connects clients that never finish a request, `each` of every kind. Throws unless the emulator disconnects all of them. */
export async function connectSlowClients(emulator: EmulatorProcess, { each }: { each: number }): Promise<void> {
  const clients = slowClients.flatMap((client) => Array.from({ length: each }, () => client))
  await Promise.all(clients.map((client) => connect(emulator, client)))
}

async function connect(emulator: EmulatorProcess, { name, isTls, start = '', repeated, ends }: SlowClient) {
  using connection = await (isTls ? Connection.openTls(emulator) : Connection.openTcp(emulator))
  connection.send(start)
  if (ends) connection.end()
  const timer = setInterval(() => repeated !== undefined && connection.send(repeated), sendIntervalMs)
  await connection.closed(name).finally(() => clearInterval(timer))
}

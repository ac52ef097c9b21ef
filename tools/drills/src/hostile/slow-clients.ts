import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { Connection } from './connection.ts'

const sendIntervalMs = 500
const headerStart = 'POST /identities HTTP/1.1\r\nHost: localhost\r\n'
const header = `${headerStart}Content-Length: 100000\r\n\r\n`

/** Connects clients that never finish a request, `each` of every kind. Throws unless the emulator disconnects all of them. */
export async function connectSlowClients(emulator: EmulatorProcess, { each }: { each: number }): Promise<void> {
  const kinds = [silentBeforeTls, partialTlsRecord, slowHeaders, slowBody, partialBody]
  await Promise.all(kinds.flatMap((kind) => Array.from({ length: each }, () => kind(emulator))))
}

async function silentBeforeTls(emulator: EmulatorProcess): Promise<void> {
  using connection = await Connection.openTcp(emulator)
  await connection.closed('a client that sends nothing')
}

async function partialTlsRecord(emulator: EmulatorProcess): Promise<void> {
  using connection = await Connection.openTcp(emulator)
  connection.send(Buffer.from('16030100c80100', 'hex'))
  await connection.closed('a client that stops during its handshake')
}

async function slowHeaders(emulator: EmulatorProcess): Promise<void> {
  using connection = await Connection.openTls(emulator)
  connection.send(headerStart)
  await sendSlowly(connection, 'a: b\r\n', 'a client that sends headers slowly')
}

async function slowBody(emulator: EmulatorProcess): Promise<void> {
  using connection = await Connection.openTls(emulator)
  connection.send(header)
  await sendSlowly(connection, ' ', 'a client that sends its body slowly')
}

async function partialBody(emulator: EmulatorProcess): Promise<void> {
  using connection = await Connection.openTls(emulator)
  connection.send(`${header}{`)
  connection.end()
  await connection.closed('a client that stops during its body')
}

async function sendSlowly(connection: Connection, text: string, client: string): Promise<void> {
  const timer = setInterval(() => connection.send(text), sendIntervalMs)
  try {
    await connection.closed(client)
  } finally {
    clearInterval(timer)
  }
}

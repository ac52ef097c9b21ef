import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { Connection } from './connection.ts'

const dripMs = 500

/** Clients that begin and never finish, each in its own way. Throws unless the emulator lets go of every one. */
export async function outlastSlowClients(emulator: EmulatorProcess, { each }: { each: number }): Promise<void> {
  const kinds = [silentBeforeTls, halfATlsRecord, drippingHeaders, drippingBody, halfClosed]
  await Promise.all(kinds.flatMap((kind) => Array.from({ length: each }, () => kind(emulator))))
}

async function silentBeforeTls(emulator: EmulatorProcess): Promise<void> {
  using connection = await Connection.openTcp(emulator)
  await connection.closed('a client that never speaks')
}

async function halfATlsRecord(emulator: EmulatorProcess): Promise<void> {
  using connection = await Connection.openTcp(emulator)
  connection.send(Buffer.from('16030100c80100', 'hex'))
  await connection.closed('a client in the middle of its handshake')
}

async function drippingHeaders(emulator: EmulatorProcess): Promise<void> {
  using connection = await Connection.openTls(emulator)
  connection.send('POST /identities HTTP/1.1\r\nHost: localhost\r\n')
  await drip(connection, 'a: b\r\n', 'a client that drips headers')
}

async function drippingBody(emulator: EmulatorProcess): Promise<void> {
  using connection = await Connection.openTls(emulator)
  connection.send('POST /identities HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n')
  await drip(connection, ' ', 'a client that drips its body')
}

async function halfClosed(emulator: EmulatorProcess): Promise<void> {
  using connection = await Connection.openTls(emulator)
  connection.send('POST /identities HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{')
  connection.end()
  await connection.closed('a client that has gone in the middle of its body')
}

async function drip(connection: Connection, drop: string, what: string): Promise<void> {
  const timer = setInterval(() => connection.send(drop), dripMs)
  try {
    await connection.closed(what)
  } finally {
    clearInterval(timer)
  }
}

import type { Socket } from 'node:net'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import * as fc from 'fast-check'
import { openTcp, openTls, receive } from './connection.ts'

const clientHello = Buffer.from('16030100c8010000c40303', 'hex')

const beforeTls = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([clientHello, bytes])),
  fc.constantFrom('', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'SSH-2.0-x\r\n'),
)

const afterTls = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }),
  fc.constantFrom(
    'GET',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'get / HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
    'GET http://x y HTTP/1.1\r\nHost: x\r\n\r\n',
    'CONNECT localhost:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n',
    'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort',
    'GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n',
    `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(4000)}\r\n`,
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50),
  ),
)

/** Sends bytes that are not TLS, and text inside TLS that is not HTTP. Throws if one gets a response that is not an error. */
export async function sendGarbage(emulator: EmulatorProcess, connections: number, seed: number): Promise<void> {
  const options = { numRuns: connections, seed, endOnFailure: true }
  await fc.assert(
    fc.asyncProperty(beforeTls, async (bytes) => {
      const received = await exchange(openTcp(emulator), bytes, 'a client without TLS')
      if (received.includes('HTTP/1.1 2')) throw new Error(`a request without TLS was served: ${received}`)
    }),
    options,
  )
  await fc.assert(
    fc.asyncProperty(afterTls, async (data) => {
      const received = await exchange(openTls(emulator), data, 'a client without HTTP')
      const statuses = [...received.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1]))
      const wrong = statuses.find((status) => status < 400 || status >= 500)
      if (wrong !== undefined) throw new Error(`malformed text got the status ${wrong}: ${received}`)
    }),
    options,
  )
}

async function exchange(opened: Promise<Socket>, data: string | Uint8Array, client: string): Promise<string> {
  const socket = await opened
  socket.end(data)
  return receive(socket, client)
}

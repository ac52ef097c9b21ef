import { randomBytes } from 'node:crypto'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { openSession } from '@acs-kit/test-support/chat-connection'
import { ChatUser } from '@acs-kit/test-support/chat-user'
import * as fc from 'fast-check'
import type { FuzzOptions } from '../fuzz/fuzz.ts'
import { openTls, receive } from '../hostile/connection.ts'

const maxFrames = 16
const maxPacketBytes = 64 * 1024

const packet = fc.oneof(
  fc.constantFrom('0::', '1::', '2::', '2:1+::x', '5:1+::{"name":"ping"}', '5:::{"name":"user.activity","args":[]}'),
  fc.constantFrom('3:::{"id":1,"status":200,"body":""}', '3:::{"id":"1","status":"x"}', '3:::null', '3:::[]', '4:::{}'),
  fc.constantFrom('5:1+::null', '5:1+::{"name":null}', '5:1+::{"name":"__proto__"}', '6:::1+[]', '7::', '8::', '9::'),
  fc.constantFrom('5:1+::', '5:1+::{', '5:::{"name":', '3:::', '3:::{', '3:::{"id":1', '::', ':::', '5', ''),
  fc
    .tuple(fc.string({ maxLength: 3 }), fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), fc.json())
    .map((parts) => parts.join(':')),
  fc.constantFrom(maxPacketBytes, maxPacketBytes + 1).map((length) => `3:::${'x'.repeat(length - 4)}`),
  fc.string(),
)

const frame = fc.record({
  /** First byte: final fragment, reserved bits and opcode. */
  start: fc.oneof({ weight: 8, arbitrary: fc.constant(0x81) }, { weight: 1, arbitrary: fc.nat(255) }),
  isMasked: fc.integer({ min: 0, max: 19 }).map((number) => number > 0),
  payload: fc.oneof(
    { weight: 4, arbitrary: packet.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  ),
})

const upgrade = fc.oneof(
  { weight: 12, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Record<string, string>>(
      { 'Sec-WebSocket-Version': '8' },
      { 'Sec-WebSocket-Key': 'short' },
      { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=x' },
      { 'Sec-WebSocket-Protocol': ',' },
      { Connection: 'close' },
      { Upgrade: 'h2c' },
    ),
  },
)

const generated = fc.record({ frames: fc.array(frame, { minLength: 1, maxLength: maxFrames }), upgrade })

const ping = { start: 0x81, isMasked: true, payload: Buffer.from('5:7+::{"name":"ping"}') }
const pong = '6:::7+["pong"]'

/**
 * Sends generated frames over WebSockets, some of them with malformed requests for the WebSocket. Throws if a frame that is sent
 * before all others gets no response, or if a malformed request is not rejected. Returns the number of frames.
 */
export async function fuzzFrames(emulator: EmulatorProcess, { requests, seed }: FuzzOptions): Promise<number> {
  const user = await ChatUser.create(emulator)
  let sent = 0
  const property = fc.asyncProperty(generated, async ({ frames, upgrade: changed }) => {
    const { pathname, search } = await openSession(user)
    const headers = {
      Host: emulator.host,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      ...changed,
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const socket = await openTls(emulator)
    socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`)
    socket.end(Buffer.concat([ping, ...frames].map(toBytes)))
    sent += frames.length
    const received = await receive(socket, 'a client with generated frames')
    const isServed = received.startsWith('HTTP/1.1 101 ') && received.includes(pong)
    if (!isServed && !/^HTTP\/1\.1 4\d\d /.test(received)) throw new Error(`unexpected response: ${received}`)
    if (!isServed && Object.keys(changed).length === 0) throw new Error(`a WebSocket was rejected: ${received}`)
  })
  // On average, a connection sends half of the most frames.
  await fc.assert(property, { numRuns: Math.ceil(requests / (maxFrames / 2)), seed, endOnFailure: true })
  return sent
}

/** Encodes a frame. The key of its mask is zero, which leaves the payload as it is. */
function toBytes({ start, isMasked, payload }: { start: number; isMasked: boolean; payload: Uint8Array }): Buffer {
  const { length } = payload
  const mask = isMasked ? 0x80 : 0
  const long = Buffer.alloc(8)
  if (length < 126) return Buffer.concat([Buffer.of(start, mask | length), Buffer.alloc(isMasked ? 4 : 0), payload])
  long.writeBigUInt64BE(BigInt(length))
  return Buffer.concat([Buffer.of(start, mask | 127), long, Buffer.alloc(isMasked ? 4 : 0), payload])
}

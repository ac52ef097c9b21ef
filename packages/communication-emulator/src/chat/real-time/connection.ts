import type { WebSocket } from 'ws'
import { parseObject } from '../../raw-request.ts'
import { parametersLifetimeSeconds } from './connect-parameters.ts'
import {
  connectPacket,
  formatAcknowledgement,
  formatDisconnect,
  formatEvent,
  formatMessage,
  heartbeatPacket,
  parsePacket,
} from './socket-io.ts'
import type { Session } from './sessions.ts'

// differs(slow-clients)
/** Bytes that may wait for a client that does not read. */
const maxBufferedBytes = 1024 * 1024

/** Time after which a delivery counts as unanswered; the JavaScript client responds after 5 seconds at the latest. */
const maxResponseMs = 10_000

/** Receives the status of the response to a delivery; undefined without a response. */
type ResponseListener = (status: number | undefined) => void

export type Connection = ReturnType<typeof createConnection>

/** Runs the service's side of a WebSocket, which sends events as requests. */
export function createConnection(socket: WebSocket, session: Session, connectedAt: Date) {
  let isAlive = true
  let lastId = 0
  const deliveries = new Map<number, { readonly sentAt: number; readonly onResponse: ResponseListener }>()

  socket.on('message', (data, isBinary) => {
    isAlive = true
    // Packets are text, which `ws` passes as one buffer.
    if (!isBinary) receive((data as Buffer).toString())
  })
  // The socket closes after an error.
  socket.on('error', () => {})
  socket.on('close', () => endDeliveries(Infinity))

  send(connectPacket)
  // guess(connection-age): the value of dur is unknown, and the client ignores it.
  send(formatEvent('trouter.connected', { ttl: parametersLifetimeSeconds, dur: '0' }))

  function receive(text: string): void {
    const packet = parsePacket(text)
    if (packet?.type === 'disconnect') socket.close()
    if (packet?.type === 'message') receiveResponse(packet.text)
    if (packet?.type === 'event' && packet.id !== '') {
      send(formatAcknowledgement(packet.id, packet.name === 'ping' ? ['pong'] : []))
    }
  }

  function receiveResponse(text: string): void {
    const response = parseObject(Buffer.from(text))
    const id = Number(response?.['id'])
    const delivery = deliveries.get(id)
    if (!delivery) return
    deliveries.delete(id)
    const status = response?.['status']
    delivery.onResponse(typeof status === 'number' ? status : undefined)
  }

  function send(packet: string): void {
    if (!isOpen()) return
    // One client that does not read must not fill the memory.
    if (socket.bufferedAmount > maxBufferedBytes) socket.terminate()
    else socket.send(packet)
  }

  /** Sends an event as a request. */
  function deliver(body: string, onResponse: ResponseListener): void {
    const id = ++lastId
    deliveries.set(id, { sentAt: performance.now(), onResponse })
    const headers = { 'Content-Type': 'application/json' }
    send(formatMessage({ id, method: 'POST', url: toPath(session.address), headers, body }))
  }

  /** Closes the connection if the client sent nothing since the last heartbeat, and otherwise sends one. */
  function beat(): void {
    if (!isAlive) return socket.terminate()
    isAlive = false
    endDeliveries(performance.now() - maxResponseMs)
    send(heartbeatPacket)
  }

  /** Ends the deliveries that were sent before a time and are still without a response. */
  function endDeliveries(before: number): void {
    for (const [id, { sentAt, onResponse }] of deliveries) {
      if (sentAt >= before) return
      deliveries.delete(id)
      onResponse(undefined)
    }
  }

  /** Sends a disconnect packet, and closes the connection. Its later responses do not count. */
  function close(reason?: string): void {
    send(formatDisconnect(reason))
    socket.close()
    endDeliveries(Infinity)
  }

  /** Closes the connection without a packet, like a failing network. */
  function cut(): void {
    socket.terminate()
  }

  function isOpen(): boolean {
    return socket.readyState === socket.OPEN
  }

  return { session, connectedAt, isOpen, deliver, beat, close, cut }
}

/** Returns the path that events of an address are sent to. */
export function toPath(address: string): string {
  return `/v4/f/${address}/`
}

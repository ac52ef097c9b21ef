import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** Responds to a request for a WebSocket with an error, and closes the connection. */
export function rejectUpgrade(socket: Duplex, status: number): void {
  // A client that does not close its side must not hold the connection.
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'

const closeTimeoutMs = 60_000

/** A raw connection to an emulator, and everything received on it. */
export class Connection implements Disposable {
  readonly #socket: Socket
  readonly #closed: Promise<void>
  received: string

  private constructor(socket: Socket) {
    this.#socket = socket
    this.received = ''
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString('latin1')))
    // The emulator is expected to reset connections.
    socket.on('error', () => {})
  }

  static async openTcp({ port }: EmulatorProcess): Promise<Connection> {
    const socket = connectTcp(port, '127.0.0.1')
    await once(socket, 'connect')
    return new Connection(socket)
  }

  static async openTls({ port, ca }: EmulatorProcess): Promise<Connection> {
    const socket = connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost' })
    await once(socket, 'secureConnect')
    return new Connection(socket)
  }

  send(data: string | Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
  }

  /** Ends the sending half only. */
  end(): void {
    this.#socket.end()
  }

  /** Waits until the emulator closes the connection. Throws after a minute, with the name of this client. */
  async closed(client: string): Promise<void> {
    const timer = setTimeout(() => this.#socket.destroy(new Error('timeout')), closeTimeoutMs)
    await this.#closed
    clearTimeout(timer)
    if (this.#socket.errored?.message === 'timeout') {
      throw new Error(`the emulator did not close the connection of ${client} within a minute`)
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

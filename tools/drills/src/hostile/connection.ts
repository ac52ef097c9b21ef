import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'

const patienceMs = 60_000

/** A socket that sends whatever it is told, and what came back on it. */
export class Connection implements Disposable {
  readonly #socket: Socket
  readonly #closed: Promise<void>
  received: string

  private constructor(socket: Socket) {
    this.#socket = socket
    this.received = ''
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString('latin1')))
    // That it is cut off is what most of these are for.
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

  /** Sends no more, yet still listens. */
  end(): void {
    this.#socket.end()
  }

  /** Waits until the other side is done with it. Throws when that takes a minute: such a client would hold it for ever. */
  async closed(what: string): Promise<void> {
    const timer = setTimeout(() => this.#socket.destroy(new Error('patience')), patienceMs)
    await this.#closed
    clearTimeout(timer)
    if (this.#socket.errored?.message === 'patience') throw new Error(`the emulator never let go of ${what}`)
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { HttpClient } from '@acs-kit/test-support/http-client'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { WebSocket } from 'ws'

const script = fileURLToPath(import.meta.resolve('./bare-server.ts'))
const readyLine = /^listening at (\d+)$/m

export interface BareProcessOptions {
  /** Folder with the keys of an emulator. */
  readonly keyFolder: string
  readonly ca: string
  readonly preloads?: readonly string[]
}

/** The bare server in a process of its own, as a reference for the emulator in its own. */
export class BareProcess implements AsyncDisposable {
  readonly server: ServerProcess
  readonly #port: number
  readonly #ca: string
  readonly #client: HttpClient

  private constructor(server: ServerProcess, ca: string) {
    this.server = server
    this.#port = Number(readyLine.exec(server.stdout)![1])
    this.#ca = ca
    this.#client = new HttpClient(this.#port, ca)
  }

  static async start({ keyFolder, ca, preloads = [] }: BareProcessOptions): Promise<BareProcess> {
    const env = childEnvironment()
    return new BareProcess(
      await ServerProcess.start({ script, args: [keyFolder], env, preloads, ready: readyLine }),
      ca,
    )
  }

  async connect(): Promise<WebSocket> {
    const socket = new WebSocket(`wss://127.0.0.1:${this.#port}`, { ca: this.#ca, perMessageDeflate: false })
    await once(socket, 'open')
    return socket
  }

  /** Sends a text to all clients. */
  async broadcast(text: string): Promise<void> {
    await this.#client.send({ method: 'POST', path: '/', body: text })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]()
    await this.server[Symbol.asyncDispose]()
  }
}

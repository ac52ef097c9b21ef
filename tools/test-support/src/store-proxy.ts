import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** `cut` ends the connection before the store sees the request, `cut-after` once it has done the work; `hang` waits. */
export type StoreState = 'up' | 'cut' | 'cut-after' | 'hang'

/** Stands between a service and Azurite: sees what passes, and breaks it. */
export class StoreProxy implements AsyncDisposable {
  readonly #server: Server
  readonly connectionString: string
  /** Method and row of each request since they were last cleared; creating the table and health checks do not count. */
  readonly requests: string[] = []
  /** Alternatively, a function that decides by the index of the request among `requests`, which it may hold up. */
  state: StoreState | ((index: number) => StoreState | Promise<StoreState>) = 'up'

  private constructor(server: Server, target: URL, connectionString: string) {
    this.#server = server
    this.connectionString = connectionString
    server.on('request', (request, response) => void this.#forward(request, response, target))
  }

  static async start(connectionString: string): Promise<StoreProxy> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const target = new URL(/TableEndpoint=([^;]+)/.exec(connectionString)![1]!)
    const { port } = server.address() as AddressInfo
    return new StoreProxy(server, target, connectionString.replace(target.host, `127.0.0.1:${port}`))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #forward(request: IncomingMessage, response: ServerResponse, target: URL): Promise<void> {
    const { method = '', url = '', headers } = request
    const state = await this.#take(method, url)
    if (state === 'cut') return void request.socket.destroy()
    if (state === 'hang') return
    const forwarded = send({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
      if (state === 'cut-after') return void request.socket.destroy()
      response.writeHead(answer.statusCode!, answer.rawHeaders)
      answer.pipe(response)
    })
    forwarded.on('error', () => response.destroy())
    request.pipe(forwarded)
  }

  #take(method: string, url: string): StoreState | Promise<StoreState> {
    const isCounted = !url.endsWith('/Tables') && !url.includes(healthCheckRow)
    const index = this.requests.length
    if (isCounted) this.requests.push(`${method} ${decodeURIComponent(url).includes("'journal'") ? 'journal' : 'user'}`)
    if (typeof this.state === 'string') return this.state
    return isCounted ? this.state(index) : 'up'
  }
}

const healthCheckRow = `RowKey='${'A'.repeat(43)}'`

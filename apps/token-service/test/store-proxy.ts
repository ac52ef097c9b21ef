import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { storeConnectionString } from '@acs-kit/test-support/store-connection'

/** Stands between a service and the Azurite that all tests share: sees what passes, and cuts it off. */
export class StoreProxy implements AsyncDisposable {
  readonly #server: Server
  readonly connectionString: string
  /** Method and row of each request since they were last cleared; creating the table does not count. */
  readonly requests: string[] = []
  /** `cut` ends connections, `hang` lets them wait. */
  state: 'up' | 'cut' | 'hang' = 'up'

  private constructor(server: Server, target: URL, connectionString: string) {
    this.#server = server
    this.connectionString = connectionString
    server.on('request', (request, response) => this.#forward(request, response, target))
  }

  static async start(): Promise<StoreProxy> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const connectionString = storeConnectionString()
    const target = new URL(/TableEndpoint=([^;]+)/.exec(connectionString)![1]!)
    const { port } = server.address() as AddressInfo
    return new StoreProxy(server, target, connectionString.replace(target.host, `127.0.0.1:${port}`))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #forward(request: IncomingMessage, response: ServerResponse, target: URL): void {
    if (this.state === 'cut') return void request.socket.destroy()
    if (this.state === 'hang') return
    const { method = '', url = '', headers } = request
    if (!url.endsWith('/Tables')) this.requests.push(`${method} ${/PartitionKey='(journal)?/.exec(url)?.[1] ?? 'user'}`)
    const forwarded = send({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.rawHeaders)
      answer.pipe(response)
    })
    forwarded.on('error', () => response.destroy())
    request.pipe(forwarded)
  }
}

import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import { listenLocally, type LocalServer } from './local-server.ts'

/** `cut` closes the connection before the store receives the request, `cut-after` after the store has processed it. `hang` never responds. */
export type StoreState = 'up' | 'cut' | 'cut-after' | 'hang'

const healthCheckRow = `RowKey='${'A'.repeat(43)}'`

/** Proxy between a service and Azurite that records requests and causes failures. */
export class StoreProxy implements AsyncDisposable {
  readonly #server: LocalServer
  readonly connectionString: string
  /** Method and kind of row of each request. Creation of the table and health checks are not recorded. */
  readonly requests: string[] = []
  /** A function returns the state for the request at an index of `requests`, and may delay it. */
  state: StoreState | ((index: number) => StoreState | Promise<StoreState>) = 'up'

  private constructor(server: LocalServer, connectionString: string) {
    this.#server = server
    this.connectionString = connectionString
  }

  static async start(connectionString: string): Promise<StoreProxy> {
    const target = new URL(/TableEndpoint=([^;]+)/.exec(connectionString)![1]!)
    const server = createServer()
    const local = await listenLocally(server)
    const proxy = new StoreProxy(local, connectionString.replace(target.host, `127.0.0.1:${local.port}`))
    server.on('request', (request, response) => void proxy.#forward(request, response, target))
    return proxy
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }

  async #forward(request: IncomingMessage, response: ServerResponse, target: URL): Promise<void> {
    const { method = '', url = '', headers } = request
    const state = await this.#nextState(method, url)
    if (state === 'cut') return void request.socket.destroy()
    if (state === 'hang') return
    const forwarded = send(
      { host: target.hostname, port: target.port, method, path: url, headers },
      (forwardedResponse) => {
        if (state === 'cut-after') return void request.socket.destroy()
        response.writeHead(forwardedResponse.statusCode!, forwardedResponse.rawHeaders)
        forwardedResponse.pipe(response)
      },
    )
    forwarded.on('error', () => response.destroy())
    request.pipe(forwarded)
  }

  #nextState(method: string, url: string): StoreState | Promise<StoreState> {
    const isCounted = !url.endsWith('/Tables') && !url.includes(healthCheckRow)
    const index = this.requests.length
    if (isCounted) this.requests.push(`${method} ${decodeURIComponent(url).includes("'journal'") ? 'journal' : 'user'}`)
    if (typeof this.state === 'string') return this.state
    return isCounted ? this.state(index) : 'up'
  }
}

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface LocalServer extends AsyncDisposable {
  readonly port: number
  [Symbol.asyncDispose](): Promise<void>
}

/** Listens on a free port of this machine until it is disposed. */
export async function listenLocally(server: Server | TlsServer): Promise<LocalServer> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

import { createServer, type IncomingMessage } from 'node:http'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { forward } from './forward.ts'

export interface Alteration {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** Starts a proxy that responds as `alter` says, and forwards requests for which it returns undefined. */
export async function startAlteringProxy(target: string, alter: (request: IncomingMessage) => Alteration | undefined) {
  const server = createServer((incoming, outgoing) => {
    const { status, headers, body } = alter(incoming) ?? {}
    if (status === undefined) forward(target, incoming, outgoing)
    else outgoing.writeHead(status, headers).end(body)
  })
  const local = await listenLocally(server)
  return {
    url: `http://127.0.0.1:${local.port}`,
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  }
}

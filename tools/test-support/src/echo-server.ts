import { readFileSync } from 'node:fs'
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { text } from 'node:stream/consumers'
import { listenLocally } from './local-server.ts'

export interface EchoServerOptions {
  /** Files of certificate and key, for HTTPS. Default: HTTP. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string }
  /** Status of every response. */
  readonly status: number
  /** Puts the request's text into the body of a response. Default: an error of Azure Communication Services. */
  readonly toBody?: (request: string) => string
}

/**
 * Starts an upstream that rejects every request and repeats it in its response, credentials included. `secrets` are the
 * signatures and tokens that were repeated so far.
 */
export async function startEchoServer({ tls, status, toBody = toServiceError }: EchoServerOptions) {
  const echoed = new Set<string>()
  const echo = async (request: IncomingMessage, response: ServerResponse) => {
    const requestText = await readRequest(request)
    for (const secret of findSecrets(request)) echoed.add(secret)
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(toBody(requestText))
  }
  const server = tls
    ? createServer({ cert: readFileSync(tls.certificate), key: readFileSync(tls.privateKey) })
    : createPlainServer()
  server.on('request', (request, response) => void echo(request, response))
  const { port, [Symbol.asyncDispose]: close } = await listenLocally(server)
  return {
    port,
    get secrets(): readonly string[] {
      return [...echoed]
    },
    [Symbol.asyncDispose]: close,
  }
}

/** Lines look like a stack trace, for readers that mistake a part of an error for its stack. */
async function readRequest(request: IncomingMessage): Promise<string> {
  const { method, url, headers } = request
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`)
  return [`${method} ${url}`, ...lines, await text(request), ...findSecrets(request)].join('\n    at ')
}

function findSecrets({ url = '', headers }: IncomingMessage): string[] {
  const credential = headers.authorization?.split(/[ =:]/).findLast((word) => word.length > 16)
  return [credential, new URLSearchParams(url.split('?')[1]).get('sig')].filter((secret) => typeof secret === 'string')
}

function toServiceError(request: string): string {
  return JSON.stringify({ error: { code: request, message: request, innererror: { message: request } } })
}

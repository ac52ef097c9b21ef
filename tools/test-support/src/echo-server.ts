import { readFileSync } from 'node:fs'
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer } from 'node:https'
import { text } from 'node:stream/consumers'
import { listenLocally, type LocalServer } from './local-server.ts'

export interface EchoServerOptions {
  /** Certificate and key, as files, for HTTPS; default plain HTTP. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string }
  /** Status of every response. */
  readonly status: number
  /** Body of a response around the request's text; default the error of Azure Communication Services. */
  readonly toBody?: (request: string) => string
}

/** An upstream that rejects every request and repeats it in its response, credentials included. */
export class EchoServer implements AsyncDisposable {
  readonly #local: LocalServer
  readonly #echoed: Set<string>
  readonly port: number

  private constructor(local: LocalServer, echoed: Set<string>) {
    this.#local = local
    this.#echoed = echoed
    this.port = local.port
  }

  static async start({ tls, status, toBody = toServiceError }: EchoServerOptions): Promise<EchoServer> {
    const echoed = new Set<string>()
    const echo = async (request: IncomingMessage, response: ServerResponse) => {
      const words = await readRequest(request)
      for (const secret of secretsOf(request)) echoed.add(secret)
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(toBody(words))
    }
    const respond: RequestListener = (request, response) => void echo(request, response)
    const server = tls
      ? createServer({ cert: readFileSync(tls.certificate), key: readFileSync(tls.privateKey) }, respond)
      : createPlainServer(respond)
    return new EchoServer(await listenLocally(server), echoed)
  }

  /** The signatures, tokens and query strings that were repeated so far. */
  get secrets(): readonly string[] {
    return [...this.#echoed]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#local[Symbol.asyncDispose]()
  }
}

/** Its lines end as a stack trace does, for readers that take a part of an error for its stack. */
async function readRequest(request: IncomingMessage): Promise<string> {
  const { method, url, headers } = request
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`)
  return [`${method} ${url}`, ...lines, await text(request), ...secretsOf(request)].join('\n    at ')
}

function secretsOf({ url = '', headers }: IncomingMessage): string[] {
  const credential = headers.authorization?.split(/[ =:]/).findLast((word) => word.length > 16)
  return [credential, new URLSearchParams(url.split('?')[1]).get('sig')].filter((secret) => typeof secret === 'string')
}

function toServiceError(request: string): string {
  return JSON.stringify({ error: { code: request, message: request, innererror: { message: request } } })
}

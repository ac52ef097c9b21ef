import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ServerProcess } from '@acs-kit/test-support/server-process'
import type autocannon from 'autocannon'

const connections = 64

export interface MeasuredServer {
  readonly url: string
  readonly server: ServerProcess
}

export interface Pace {
  /** Requests per second, evenly spread. */
  readonly rate: number
  readonly seconds: number
}

export interface PacedLoad {
  /** Responses per second of the main thread's processor time, and of that of all threads. */
  readonly perMainThreadSecond: number
  readonly perCpuSecond: number
  /** 99th percentile of the latency. */
  readonly p99Ms: number
}

/**
 * Sends requests at a steady rate, and measures the server's processor time and latency. Each latency counts from when its
 * request was due, so that requests delayed by a slow one are not left out. (autocannon's `overallRate` sends the requests of a
 * second at once.) Throws unless all succeed.
 */
export async function measurePacedLoad(
  { url, server }: MeasuredServer,
  requests: readonly autocannon.Request[],
  { rate, seconds }: Pace,
): Promise<PacedLoad> {
  const { hostname, port, host } = new URL(url)
  const payloads = requests.map((request) => Buffer.from(toText(request, host)))
  const clients = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true })
      await once(socket, 'connect')
      return new Client(socket)
    }),
  )
  const latencies: number[] = []
  const total = rate * seconds
  const before = server.cpuTime()
  const start = performance.now()
  let failed: Client | undefined
  for (let sent = 0; latencies.length < total && !failed;) {
    const due = Math.min(total, ((performance.now() - start) * rate) / 1000)
    for (; sent < due; sent++) {
      const client = clients.find(({ onResponse }) => onResponse === undefined)
      if (!client) break
      const dueAt = start + (sent * 1000) / rate
      client.onResponse = () => latencies.push(performance.now() - dueAt)
      client.socket.write(payloads[sent % payloads.length]!)
    }
    // Timers are too coarse for this pace.
    await new Promise(setImmediate)
    failed = clients.find(({ failure }) => failure !== undefined)
  }
  const after = server.cpuTime()
  for (const { socket } of clients) socket.destroy()
  if (failed) throw new Error(`the load on ${url} got the response ${failed.failure}`)
  const perSecond = (cpuUs: number) => (total * 1_000_000) / cpuUs
  return {
    perMainThreadSecond: perSecond(after.mainThreadUs - before.mainThreadUs),
    perCpuSecond: perSecond(after.processUs - before.processUs),
    p99Ms: latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)]!,
  }
}

/** One kept-alive connection, one request at a time. */
class Client {
  readonly socket: Socket
  /** Undefined while no request is sent. */
  onResponse: (() => void) | undefined
  failure: string | undefined
  #received = ''

  constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1').on('data', (text: string) => this.#receive(text))
    socket.on('error', (error) => (this.failure = error.message))
  }

  #receive(text: string): void {
    this.#received += text
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const length = Number(/content-length: (\d+)/i.exec(this.#received)?.[1])
    if (this.#received.length < headEnd + 4 + length) return
    if (!this.#received.startsWith('HTTP/1.1 200 ')) this.failure = this.#received.slice(0, headEnd)
    this.#received = ''
    const { onResponse } = this
    this.onResponse = undefined
    onResponse!()
  }
}

function toText({ method, path, headers, body = '' }: autocannon.Request, host: string): string {
  const lines = Object.entries({ host, ...headers, 'content-length': Buffer.byteLength(body) })
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${String(value)}\r\n`).join('')}\r\n${String(body)}`
}

import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import autocannon from 'autocannon'

interface UnsignedRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Keeps one server process busy, and little more. */
const defaultConnections = 16

/**
 * Sends requests over kept-alive connections for some seconds and returns responses per second. Throws unless all succeed.
 * The load generator does not verify certificates.
 */
export async function measureRate(
  url: string,
  requests: autocannon.Request[],
  seconds: number,
  connections = defaultConnections,
): Promise<number> {
  using _ = stayAwake()
  return measureRateAsleep(url, requests, seconds, connections)
}

/** Does the same, but sleeps while it waits: a server with several busy threads needs both cores. */
export async function measureRateAsleep(
  url: string,
  requests: autocannon.Request[],
  seconds: number,
  connections = defaultConnections,
): Promise<number> {
  const result = await autocannon({ url, requests, connections, duration: seconds })
  expectSuccess(result, url)
  return result.requests.total / result.duration
}

/** Sends one request `amount` times. Throws unless all succeed. */
export async function sendMany(url: string, request: autocannon.Request, amount: number): Promise<void> {
  expectSuccess(await autocannon({ url, requests: [request], connections: defaultConnections, amount }), url)
}

function expectSuccess({ errors, timeouts, non2xx }: autocannon.Result, url: string): void {
  if (errors + timeouts + non2xx !== 0) {
    throw new Error(`the load on ${url} had ${non2xx} rejected requests, ${errors} errors and ${timeouts} timeouts`)
  }
}

/**
 * Keeps this process from sleeping while it waits for responses. On a virtual machine, waking it costs the server tens of
 * microseconds per response, but only if the server is slower than the load: it would look slower still.
 */
export function stayAwake(): Disposable {
  let isAwake = true
  const spin = () => {
    if (isAwake) setImmediate(spin)
  }
  spin()
  return { [Symbol.dispose]: () => (isAwake = false) }
}

/** Signs a request to an emulator. */
export function signRequest({ host, accessKey }: EmulatorProcess, request: UnsignedRequest) {
  return { ...request, headers: signedHeaders({ ...request, host, accessKey: accessKey! }) }
}

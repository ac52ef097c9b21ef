import autocannon from 'autocannon'

/** Enough to keep one server process busy, and no more. */
const defaultConnections = 16

/** Sends requests over kept connections for some seconds; returns answers per second. Throws unless all were successes. */
export async function measureRate(
  url: string,
  requests: autocannon.Request[],
  seconds: number,
  connections = defaultConnections,
): Promise<number> {
  using _ = stayAwake()
  const result = await autocannon({ url, requests, connections, duration: seconds })
  check(result, url)
  return result.requests.total / result.duration
}

/** Sends one request so many times. Throws unless all were successes. */
export async function sendMany(url: string, request: autocannon.Request, amount: number): Promise<void> {
  check(await autocannon({ url, requests: [request], connections: defaultConnections, amount }), url)
}

function check({ errors, timeouts, non2xx }: autocannon.Result, url: string): void {
  if (errors + timeouts + non2xx !== 0) {
    throw new Error(`the load on ${url} had ${non2xx} refusals, ${errors} errors and ${timeouts} timeouts`)
  }
}

/**
 * Keeps this process from sleeping while it waits for answers. On a virtual machine, waking it takes the server tens of
 * microseconds for each answer, but only a server that is slower than the load pays that: it would look slower still.
 */
function stayAwake(): Disposable {
  let isAwake = true
  const spin = () => {
    if (isAwake) setImmediate(spin)
  }
  spin()
  return { [Symbol.dispose]: () => (isAwake = false) }
}

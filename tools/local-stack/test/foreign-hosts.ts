import { request as requestHttp, type IncomingMessage } from 'node:http'
import { connect } from 'node:http2'
import { request as requestHttps } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect } from 'vitest'
import { findListeners, type Listener } from './processes.ts'

const { COMMUNICATION_SERVICES_CONNECTION_STRING: _, ...environment } = process.env
const freePorts = ['--port', '0', '--emulator-port', '0', '--demo-port', '0']

interface SentRequest {
  readonly path?: string
  readonly headers: Record<string, string>
}

/** Sends a request as a browser does whose user ignores certificate warnings. */
export async function send(
  url: string,
  { path = '/', headers }: SentRequest,
): Promise<{ status: number; body: string }> {
  const { protocol, hostname: host, port } = new URL(url)
  // Only URLs have IPv6 addresses in brackets.
  const hostname = host.replace(/^\[|\]$/g, '')
  const options = { hostname, port, path, headers, agent: false, rejectUnauthorized: false }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = protocol === 'https:' ? requestHttps(options, resolve) : requestHttp(options, resolve)
    request.on('error', reject).end()
  })
  return { status: response.statusCode!, body: await text(response) }
}

/** Returns what a page under a foreign host name gets: one response over HTTP or HTTPS, and nothing over gRPC. */
async function sendAsForeign({ address, port }: Listener): Promise<{ port: number; status: number; body: string }[]> {
  const host = `${address}:${port}`
  if (await speaksGrpc(host)) return []
  const results = await Promise.allSettled(
    ['http', 'https'].map((protocol) => send(`${protocol}://${host}`, { headers: { Host: 'evil.example' } })),
  )
  const responses = results.flatMap((result) => (result.status === 'fulfilled' ? [{ port, ...result.value }] : []))
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []))
  expect(responses, `${host}: ${errors.join(', ')}`).toHaveLength(1)
  return responses
}

/** Returns whether a server speaks HTTP/2 without TLS, which browsers do not. */
async function speaksGrpc(host: string): Promise<boolean> {
  const session = connect(`http://${host}`)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  session.once('remoteSettings', () => resolve(true))
  // A server without HTTP/2 closes the connection; `close` follows.
  session.on('error', () => {}).once('close', () => resolve(false))
  return promise.finally(() => session.destroy())
}

/** Starts a stack, probes its listeners and stops it. */
export async function probeStack(script: string, args: readonly string[]) {
  const folder = temporaryFolder()
  await using started = await ServerProcess.start({
    script: join(import.meta.dirname, '../src', script),
    args: [...args, ...freePorts, ...(script === 'dev.ts' ? ['--data', join(folder, 'data')] : [])],
    env: { ...environment, TMPDIR: folder },
    ready: /^call .*\n/m,
  })
  const probed = await probeListeners(folder)
  process.kill(started.pid, 'SIGINT')
  expect(await started.exit()).toBe(0)
  return probed
}

/**
 * Sends a request under a foreign host name to each server of the processes that `mark` identifies. Returns their number, the
 * listeners that other machines can reach, and the responses that do not reject the request.
 */
export async function probeListeners(mark: string) {
  const listeners = findListeners(mark)
  const responses = (await Promise.all(listeners.map(sendAsForeign))).flat()
  return {
    servers: new Set(responses.map(({ port }) => port)).size,
    reachable: listeners.filter(({ address }) => address !== '127.0.0.1' && address !== '[::1]'),
    accepted: responses.filter(
      ({ status, body }) => !([403, 421].includes(status) && /misdirected ?request|blocked request/i.test(body)),
    ),
  }
}

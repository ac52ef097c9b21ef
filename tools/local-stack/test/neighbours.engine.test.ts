import { createHmac } from 'node:crypto'
import { chmodSync, readdirSync, statSync } from 'node:fs'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { connect } from 'node:http2'
import { request as requestHttps } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startEmulator } from '@acs-kit/communication-emulator'
import { findPulumi } from '@acs-kit/infra/pulumi-cli'
import { Azurite } from '@acs-kit/test-support/azurite'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { describe, expect, it } from 'vitest'
import { findListeners, type Listener } from './processes.ts'

const { COMMUNICATION_SERVICES_CONNECTION_STRING: _, ...environment } = process.env
const freePorts = ['--port', '0', '--emulator-port', '0', '--demo-port', '0']
const cli = await findPulumi()

interface SentRequest {
  readonly path?: string
  readonly headers: Record<string, string>
}

/** Sends a request as a browser does whose user ignores certificate warnings. */
async function send(url: string, { path = '/', headers }: SentRequest): Promise<{ status: number; body: string }> {
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

describe.runIf(process.platform === 'linux')('the listeners of a local stack', () => {
  it.each([
    { script: 'dev.ts', args: [], servers: 4 },
    { script: 'start.ts', args: ['--keep', '--no-pulumi'], servers: 4 },
    // The emulator serves a provisioned resource on a port of its own.
    ...(cli ? [{ script: 'start.ts', args: ['--keep', '--pulumi'], servers: 5 }] : []),
  ])(
    'started by $script $args, serve only this machine, and reject foreign host names',
    async ({ script, args, servers }) => {
      const folder = temporaryFolder()
      await using started = await ServerProcess.start({
        script: join(import.meta.dirname, '../src', script),
        args: [...args, ...freePorts, ...(script === 'dev.ts' ? ['--data', join(folder, 'data')] : [])],
        env: { ...environment, TMPDIR: folder },
        ready: /^call .*\n/m,
      })
      const listeners = findListeners(folder)
      expect(listeners.filter(({ address }) => address !== '127.0.0.1' && address !== '[::1]')).toEqual([])
      const served = (await Promise.all(listeners.map(sendAsForeign))).flat()
      expect(new Set(served.map(({ port }) => port)).size, 'emulator, Azurite, service, demo').toBe(servers)
      for (const { status, body } of served) {
        expect([403, 421]).toContain(status)
        expect(body).toMatch(/misdirected ?request|blocked request/i)
      }
      process.kill(started.pid, 'SIGINT')
      expect(await started.exit()).toBe(0)
    },
    120_000,
  )
})

describe('Azurite', () => {
  const publishedKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
  const path = `/${Azurite.account}/Tables`

  function sign(accountKey: string, host = '127.0.0.1'): Record<string, string> {
    const date = new Date().toUTCString()
    const hash = createHmac('sha256', Buffer.from(accountKey, 'base64'))
    const signature = hash.update(`${date}\n/${Azurite.account}${path}`).digest('base64')
    const authorization = `SharedKeyLite ${Azurite.account}:${signature}`
    return { Host: host, 'x-ms-date': date, Authorization: authorization, Accept: 'application/json' }
  }

  it.each(['http', 'https'])('accepts only keys of this process and local host names, over %s', async (protocol) => {
    await using emulator = await startEmulator()
    await using azurite = await Azurite.start(protocol === 'https' ? { tls: emulator.tlsFiles } : {})
    const status = async (headers: Record<string, string>) => (await send(azurite.endpoint, { path, headers })).status
    for (const key of Azurite.accountKeys) {
      expect(await status(sign(key))).toBe(200)
      expect(await status(sign(key, 'localhost:1'))).toBe(200)
      for (const host of ['evil.example', `${Azurite.account}.evil.example`, 'localhost.evil.example:80'])
        expect(await status(sign(key, host)), host).toBe(421)
    }
    expect(await status(sign(publishedKey))).toBe(403)
  })

  it('stores files that only their owner can read, even in a folder that others can read', async () => {
    const dataFolder = temporaryFolder()
    chmodSync(dataFolder, 0o755)
    await using _azurite = await Azurite.start({ dataFolder })
    expect(statSync(dataFolder).mode & 0o777).toBe(0o700)
    const files = readdirSync(dataFolder)
    expect(files).not.toEqual([])
    for (const file of files) expect(statSync(join(dataFolder, file)).mode & 0o077, file).toBe(0)
  })
})

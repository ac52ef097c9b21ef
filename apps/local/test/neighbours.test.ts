import { createHmac } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startEmulator } from '@acs-kit/communication-emulator'
import { findPulumi } from '@acs-kit/infra/local/pulumi-cli'
import { Azurite } from '@acs-kit/test-support/azurite'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listenersOf } from './processes.ts'

const { COMMUNICATION_SERVICES_CONNECTION_STRING: _, ...environment } = process.env
const freePorts = ['--port', '0', '--emulator-port', '0', '--demo-port', '0']
const cli = await findPulumi()

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'acs-kit-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

interface Asked {
  readonly path?: string
  readonly headers: Record<string, string>
}

/** What a browser gets whose page has made its own name lead to this machine: over HTTPS, it has clicked warnings away. */
async function ask(url: string, { path = '/', headers }: Asked): Promise<{ status: number; body: string }> {
  const { protocol, hostname, port } = new URL(url)
  const options = { hostname, port, path, headers, agent: false, rejectUnauthorized: false }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = protocol === 'https:' ? requestHttps(options, resolve) : requestHttp(options, resolve)
    request.on('error', reject).end()
  })
  return { status: response.statusCode!, body: await text(response) }
}

describe.runIf(process.platform === 'linux')('whatever is opened on this machine', () => {
  it.each([
    { script: 'dev.ts', args: [] },
    { script: 'start.ts', args: ['--keep', '--no-pulumi'] },
    ...(cli ? [{ script: 'up-local.ts', args: [] }] : []),
  ])(
    'by $script is for this machine, and for no page under a foreign name',
    async ({ script, args }) => {
      const folder = temporaryFolder()
      await using started = await ServerProcess.start({
        script: join(import.meta.dirname, '../src', script),
        args: [...args, ...freePorts, ...(script === 'dev.ts' ? ['--data', join(folder, 'data')] : [])],
        env: { ...environment, TMPDIR: folder },
        ready: /^call .*\n/m,
      })
      const listeners = listenersOf(folder)
      expect(listeners.filter(({ address }) => address !== '127.0.0.1' && address !== '[::1]')).toEqual([])
      const answers = await Promise.all(
        listeners.flatMap(({ address, port }) =>
          ['http', 'https'].map((protocol) =>
            // What speaks another protocol is of no use to a page.
            ask(`${protocol}://${address}:${port}`, { headers: { Host: 'evil.example' } }).catch(() => undefined),
          ),
        ),
      )
      const served = answers.filter((answer) => answer !== undefined)
      // The emulator, Azurite, the service and the demo.
      expect(served.length).toBeGreaterThanOrEqual(4)
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

  it.each(['http', 'https'])('opens to keys of its own only, and under no foreign name, over %s', async (protocol) => {
    await using emulator = await startEmulator()
    await using azurite = await Azurite.start(protocol === 'https' ? { tls: emulator.tlsFiles } : {})
    const status = async (headers: Record<string, string>) => (await ask(azurite.endpoint, { path, headers })).status
    for (const key of Azurite.accountKeys) {
      expect(await status(sign(key))).toBe(200)
      expect(await status(sign(key, 'localhost:1'))).toBe(200)
      for (const host of ['evil.example', `${Azurite.account}.evil.example`, 'localhost.evil.example:80'])
        expect(await status(sign(key, host)), host).toBe(421)
    }
    expect(await status(sign(publishedKey))).toBe(403)
  })

  it('keeps its files for their owner only, also in a folder that others could read', async () => {
    const dataFolder = temporaryFolder()
    chmodSync(dataFolder, 0o755)
    await using _azurite = await Azurite.start({ dataFolder })
    expect(statSync(dataFolder).mode & 0o777).toBe(0o700)
    const files = readdirSync(dataFolder)
    expect(files).not.toEqual([])
    for (const file of files) expect(statSync(join(dataFolder, file)).mode & 0o077, file).toBe(0)
  })
})

import { createHmac } from 'node:crypto'
import { chmodSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { startEmulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { describe, expect, it } from 'vitest'
import { probeStack, send } from './foreign-hosts.ts'

describe.runIf(process.platform === 'linux')('a local stack', () => {
  it.each<[string, string[]]>([
    ['dev.ts', []],
    ['start.ts', ['--keep', '--no-pulumi']],
  ])(
    'serves only this machine and rejects foreign host names, started by %s %j',
    async (script, args) => {
      // Emulator, Azurite, service and demo.
      expect(await probeStack(script, args)).toEqual({ servers: 4, reachable: [], accepted: [] })
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

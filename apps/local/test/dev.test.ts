import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { expect, test } from 'vitest'
import { processesOf } from './processes.ts'

const root = join(import.meta.dirname, '../../..')
const server = join(root, 'apps/token-service/src/server.ts')

test.runIf(process.platform === 'linux')(
  '`pnpm dev` serves, restarts the service on change, and leaves nothing behind, even when it is killed',
  async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const data = mkdtempSync(join(tmpdir(), 'acs-kit-dev-'))
      const tracked = async () => (await promisify(execFile)('git', ['status', '--short'], { cwd: root })).stdout
      const before = await tracked()
      await using dev = await ServerProcess.start({
        script: join(root, 'apps/local/src/dev.ts'),
        args: ['--data', data, '--port', '0', '--emulator-port', '0', '--demo-port', '0'],
        env: { ...process.env, TMPDIR: data },
        ready: /^call/m,
      })
      const address = () => [...dev.stdout.matchAll(/"address":"([^"]+)"/g)].at(-1)![1]!
      expect((await fetch(`${address()}/healthz`)).status).toBe(200)
      const first = address()
      utimesSync(server, new Date(), new Date())
      await expect.poll(address).not.toBe(first)
      expect((await fetch(`${address()}/healthz`)).status).toBe(200)
      const demo = /^open +(\S+)/m.exec(dev.stdout)![1]!
      expect(await (await fetch(new URL('config.json', demo))).json()).toMatchObject({ serviceUrl: address() })
      // The program, Azurite, the service.
      expect(processesOf(data)).toHaveLength(3)
      process.kill(dev.pid, signal)
      await dev.exit()
      await expect.poll(() => processesOf(data)).toEqual([])
      expect(await tracked()).toBe(before)
      rmSync(data, { recursive: true })
    }
  },
)

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
    for (const { signal, level, isLogged, complaint } of [
      { signal: 'SIGTERM', level: 'warn', isLogged: false, complaint: '' },
      {
        signal: 'SIGKILL',
        level: 'verbose',
        isLogged: true,
        complaint: 'acs-kit: LOG_LEVEL ignored: it must be error or warn or info or debug\n',
      },
    ] as const) {
      const data = mkdtempSync(join(tmpdir(), 'acs-kit-dev-'))
      const tracked = async () => (await promisify(execFile)('git', ['status', '--short'], { cwd: root })).stdout
      const before = await tracked()
      await using dev = await ServerProcess.start({
        script: join(root, 'tools/local-stack/src/dev.ts'),
        args: ['--data', data, '--port', '0', '--emulator-port', '0', '--demo-port', '0'],
        env: { ...process.env, LOG_LEVEL: level, TMPDIR: data },
        ready: /^call/m,
      })
      expect(dev.stderr).toBe(complaint)
      const log = /^\{.*"address":/m
      if (isLogged) await expect.poll(() => dev.stdout).toMatch(log)
      else expect(dev.stdout).not.toMatch(log)
      const demo = /^open +(\S+)/m.exec(dev.stdout)![1]!
      const address = async () => {
        const config = await fetch(new URL('config.json', demo))
        return ((await config.json()) as { serviceUrl: string }).serviceUrl
      }
      const first = await address()
      expect((await fetch(`${first}/healthz`)).status).toBe(200)
      utimesSync(server, new Date(), new Date())
      await expect.poll(address).not.toBe(first)
      expect((await fetch(`${await address()}/healthz`)).status).toBe(200)
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

import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const server = join(root, 'src/server.ts')

/** Processes whose environment shows that they belong to this test. */
function processesOf(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark)
      } catch {
        return false
      }
    })
    .map(Number)
}

test.runIf(process.platform === 'linux')(
  'the development command serves, restarts on change, and leaves nothing behind, even when it is killed',
  async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const data = mkdtempSync(join(tmpdir(), 'acs-kit-dev-'))
      const mark = `ACS_KIT_DEV_TEST=${data}`
      const tracked = async () => (await promisify(execFile)('git', ['status', '--short', '.'], { cwd: root })).stdout
      const before = await tracked()
      await using dev = await ServerProcess.start({
        script: join(root, 'dev.ts'),
        args: ['--data', data, '--port', '0', '--emulator-port', '0'],
        env: { ...process.env, ACS_KIT_DEV_TEST: data },
        ready: /the service listens/,
      })
      const address = () => [...dev.stdout.matchAll(/"address":"([^"]+)"/g)].at(-1)![1]!
      expect((await fetch(`${address()}/healthz`)).status).toBe(200)
      const first = address()
      utimesSync(server, new Date(), new Date())
      await expect.poll(address, { timeout: 20_000 }).not.toBe(first)
      expect((await fetch(`${address()}/healthz`)).status).toBe(200)
      // The program, Azurite, the service.
      expect(processesOf(mark)).toHaveLength(3)
      process.kill(dev.pid, signal)
      await dev.exit()
      await expect.poll(() => processesOf(mark), { timeout: 10_000 }).toEqual([])
      expect(await tracked()).toBe(before)
      rmSync(data, { recursive: true })
    }
  },
)
